// Softmax cross-entropy and its gradient in one pass over the logits.
#pragma once

#include <cstdint>

#include "cpu/parallel.h"

namespace archwright::kernels {

// loss = −Σ target·log softmax(logits) / rows; gradient = (softmax(logits)·Σ target − target) / rows,
// with softmax and sums along each row.
struct CrossEntropy {
  const float *logits, *target;
  float *loss, *gradient;
};
void crossEntropy(int64_t rows, int64_t classes, const CrossEntropy& args, const Parallel& parallel);

}  // namespace archwright::kernels
