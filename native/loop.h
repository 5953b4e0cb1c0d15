// The training loop: one step graph run once per batch, its state rebound from outputs to inputs.
// No N-API.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "session.h"

namespace archwright {

struct StateSpec {
  BorrowedTensor value;  // value.name is the input
  std::string next;
};

// Rows of `source` gathered into the input `name` of dims [batch, ...rowDims].
struct StreamSpec {
  std::string name;
  Dims rowDims;
  ElementType type;        // kFloat32 or kInt64
  ElementType sourceType;  // kUint8, kFloat32 or kInt32
  const void* source;
  std::vector<float> scale;  // empty: plain conversion; else one entry per channel
  std::vector<float> shift;
};

struct ScalarSpec {
  std::string name;
  const float* values;  // one per step
};

struct LoopRequest {
  size_t batch;
  size_t steps;
  const uint32_t* order;  // steps × batch row numbers
  std::vector<StreamSpec> streams;
  std::vector<StateSpec> states;
  std::vector<ScalarSpec> scalars;
  std::vector<std::string> record;
  std::optional<double> limit;
};

struct LoopResult {
  size_t steps = 0;
  std::vector<std::vector<float>> recorded;
  std::vector<ValuePtr> states;
  bool hitLimit = false;
  double wallNs = 0;
  std::vector<double> stepNs;
};

// Throws std::runtime_error if ONNX Runtime refuses a binding or a step fails.
LoopResult runLoop(const Session& session, const LoopRequest& request);

}  // namespace archwright
