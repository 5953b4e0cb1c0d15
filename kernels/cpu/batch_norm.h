// Batch normalisation in training form, forward and backward, over NCHW (or NC) tensors.
#pragma once

#include <cstdint>

#include "cpu/parallel.h"

namespace archwright::kernels {

struct BatchNormShape {
  int64_t batch, channels;
  // Elements per channel and image; 1 for an NC tensor.
  int64_t plane;
};

// With mean and (biased) variance over batch and plane:
//   y = scale · (x − mean) · invStd + bias,  invStd = 1 / √(variance + epsilon).
struct BatchNormForward {
  const float *x, *scale, *bias;
  float *y, *mean, *variance, *invStd;
  float epsilon;
};
void batchNormForward(const BatchNormShape& shape, const BatchNormForward& args,
                      const Parallel& parallel);

// dBias = Σ dy, dScale = Σ dy · x̂ with x̂ = (x − mean) · invStd, and
// dx = scale · invStd · (dy − dBias / m − x̂ · dScale / m), m = batch · plane.
struct BatchNormBackward {
  const float *dy, *x, *scale, *mean, *invStd;
  float *dx, *dScale, *dBias;
};
void batchNormBackward(const BatchNormShape& shape, const BatchNormBackward& args,
                       const Parallel& parallel);

}  // namespace archwright::kernels
