// The training loop: one step graph run once per batch, its state rebound from outputs to inputs.
// No N-API.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "batch_inputs.h"
#include "session.h"

namespace archwright {

struct StateSpec {
  BorrowedTensor value;  // value.name is the input
  std::string next;
  bool inPlace;
};

struct LoopRequest {
  size_t steps;
  BatchSpec inputs;  // its `order` and scalars reach over all steps
  std::vector<StateSpec> states;
  std::vector<std::string> record;
  std::optional<double> limit;
};

struct LoopResult {
  size_t steps = 0;
  std::vector<std::vector<float>> recorded;
  std::vector<ValuePtr> states;  // those that are not in place
  bool hitLimit = false;
  double wallNs = 0;
  double inputNs = 0;
  std::vector<double> stepNs;
};

// Throws std::runtime_error if ONNX Runtime refuses a binding or a step fails.
LoopResult runLoop(const Session& session, const LoopRequest& request);

}  // namespace archwright
