// Smooth activations, element by element. (Piecewise linear ones are in pool_grad.h.)
#pragma once

#include <cstdint>

#include "cpu/parallel.h"

namespace archwright::kernels {

// y = x·Φ(x) (arXiv 1606.08415) and dx = dy·(Φ(x) + x·φ(x)).
void geluForward(int64_t count, const float* x, float* y, const Parallel& parallel);
void geluBackward(int64_t count, const float* dy, const float* x, float* dx,
                  const Parallel& parallel);

// y = x·σ(x) (arXiv 1710.05941) and dx = dy·σ(x)·(1 + x·(1 − σ(x))).
void siluForward(int64_t count, const float* x, float* y, const Parallel& parallel);
void siluBackward(int64_t count, const float* dy, const float* x, float* dx,
                  const Parallel& parallel);

}  // namespace archwright::kernels
