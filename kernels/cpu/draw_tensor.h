// Tensors of random numbers: dropout's and the noise of a model, as a function of seed, run and place.
#pragma once

#include <cstdint>

#include "cpu/parallel.h"

namespace archwright::kernels {

struct DrawTensor {
  uint32_t seed;
  bool normal;
  float offset, scale;
};

// y[i] = offset + scale · draw, the draws uniform over [0, 1) in steps of 2^-24, or standard normal.
// Elements 4p … 4p + 3 come from the words of block p (Purpose::kTensor) of step `run`: uniform ones
// from one word each, normal ones from pairs of words by Box and Muller. Threads change nothing.
void drawTensor(const DrawTensor& draws, uint64_t run, int64_t count, float* y,
                const Parallel& parallel);

}  // namespace archwright::kernels
