// Backward pass of layer normalisation over the last `columns` elements of each row. (The forward
// pass is ONNX Runtime's own, which gives mean and rate.)
#pragma once

#include <cstdint>

#include "cpu/parallel.h"

namespace archwright::kernels {

// With x̂ = (x − mean)·rate and g = scale·dy, over each row:
//   dx = rate·(g − average(g) − x̂·average(g·x̂)); over the rows dScale = Σ dy·x̂ and dBias = Σ dy.
struct LayerNormBackward {
  const float *dy, *x, *scale, *mean, *rate;
  float *dx, *dScale, *dBias;
};
void layerNormBackward(int64_t rows, int64_t columns, const LayerNormBackward& args,
                       const Parallel& parallel);

}  // namespace archwright::kernels
