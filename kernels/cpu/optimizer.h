// Optimiser steps over flat vectors, one pass each. `factor` scales the gradient (clipping).
#pragma once

#include <cstdint>

#include "cpu/parallel.h"

namespace archwright::kernels {

// Σ g², added up in double.
double sumOfSquares(int64_t count, const float* g, const Parallel& parallel);

// g ← factor·g + decay·w; v ← momentum·v + g; w ← w − rate·v, or w − rate·(g + momentum·v) in
// Nesterov's form.
struct SgdStep {
  const float *weights, *gradient, *velocity;
  float *nextWeights, *nextVelocity;
  float factor, rate, momentum, decay;
  bool nesterov;
};
void sgdStep(int64_t count, const SgdStep& step, const Parallel& parallel);

// g ← factor·g; m ← β₁m + (1−β₁)g; v ← β₂v + (1−β₂)g²; w ← keep·w − size · m / (√v·correction + ε).
struct AdamwStep {
  const float *weights, *gradient, *mean, *square;
  float *nextWeights, *nextMean, *nextSquare;
  float factor, keep, size, correction, beta1, beta2, epsilon;
};
void adamwStep(int64_t count, const AdamwStep& step, const Parallel& parallel);

}  // namespace archwright::kernels
