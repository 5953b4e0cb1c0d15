// Gradients of pooling and of piecewise linear activations: one pass each.
#pragma once

#include <cstdint>

#include "cpu/parallel.h"

namespace archwright::kernels {

// dx[indices[i]] += dy[i], dx zero elsewhere. Indices are those of ONNX MaxPool: positions in the
// whole input tensor; the outputs of one (image, channel) plane point into that plane.
void maxPoolGrad(int64_t planes, int64_t inPlane, int64_t outPlane, const float* dy,
                 const int64_t* indices, float* dx, const Parallel& parallel);

// dx = dy · slope(x), where the slope is `inside` for low < x < high and 0 elsewhere, or for
// HardSwish (`ramp`) x / 3 + 1/2 for −3 < x < 3, 0 below and 1 above.
struct ActivationSlope {
  float low, high, inside;
  bool ramp;
};
void activationGrad(const ActivationSlope& slope, int64_t count, const float* dy, const float* x,
                    float* dx, const Parallel& parallel);

}  // namespace archwright::kernels
