// The operators of `kernels/cpu` as ONNX Runtime custom operators, domain `archwright`, version 1.
// Their inputs, outputs and attributes are stated in `src/ir/native-op-schema.ts`.
#pragma once

#include <memory>

#include "ort.h"

namespace archwright {

// The operators of one session. Must outlive the session, whose options name them.
class CustomOps {
 public:
  // Kernels use up to `threads` of the session's intra-op threads.
  CustomOps(OrtSessionOptions* options, int threads);
  CustomOps(CustomOps&&) noexcept;
  CustomOps& operator=(CustomOps&&) noexcept;
  ~CustomOps();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace archwright
