// Execution providers other than the CPU's, added to the options of a session.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "ort.h"

namespace archwright {

using StringPairs = std::vector<std::pair<std::string, std::string>>;

// `name` is `CUDA`, `TensorRT` or a name that ONNX Runtime's generic call takes. What TensorRT does
// not take goes to CUDA on the same GPU. Throws what ONNX Runtime says.
void appendProvider(OrtSessionOptions* session, const std::string& name,
                    const StringPairs& options);

}  // namespace archwright
