// State shared by every JavaScript environment (main thread and worker threads) of the process: the
// opened ONNX Runtime library, its functions and its one `OrtEnv`. Per-environment state is the
// `Addon` object of `addon.h`; there is no third place.
#pragma once

#include <string>

#include "ort_abi.h"

namespace archwright {

// Opens the library at `path`, once per process; later calls with the same path do nothing.
// Sets `ORT_DISABLE_TELEMETRY=1` in the process environment first, unless the variable is set: a
// worker thread's `process.env` is a copy that the library would never see.
// Throws std::runtime_error: cannot be opened, is not ONNX Runtime, is too old, another path before.
void openRuntime(const std::string& path);

// Functions of the opened library. Throws std::runtime_error before `openRuntime` succeeded.
const OrtFunctions& ort();

// The environment that every session belongs to.
OrtEnv* ortEnv();

// Version of the opened library, such as "1.30.0".
std::string runtimeVersion();

}  // namespace archwright
