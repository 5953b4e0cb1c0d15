// Weight gradient of convolutions whose groups have channels enough to fill vectors.
#pragma once

#include "cpu/conv.h"

namespace archwright::kernels {

// Whether few enough lanes would stay empty.
bool fillsLanes(const ConvShape& shape);

// As `convWeightGrad`.
void convWeightGradLanes(const ConvShape& shape, const float* x, const float* dy, float* dw,
                         const Parallel& parallel);

}  // namespace archwright::kernels
