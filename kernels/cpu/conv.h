// Two-dimensional convolution and its gradients, for weights that change at every step. (ONNX
// Runtime's fastest convolution wants constant weights, which training does not have.) All tensors
// are float32, row-major, NCHW; weights are [outChannels, inChannels / groups, kernelHeight,
// kernelWidth]. Results are overwritten.
#pragma once

#include "cpu/conv_shape.h"
#include "cpu/parallel.h"

namespace archwright::kernels {

// Y[n, o, p] = bias[o] + Σ W[o, c, k] · X[n, c, p·stride + k·dilation − pad]. `bias` may be null.
void convForward(const ConvShape& shape, const float* x, const float* w, const float* bias, float* y,
                 const Parallel& parallel);

// dX[n, c, q] = Σ W[o, c, k] · dY[n, o, p] over all (p, k) with p·stride + k·dilation − pad = q.
void convInputGrad(const ConvShape& shape, const float* dy, const float* w, float* dx,
                   const Parallel& parallel);

// dW[o, c, k] = Σ dY[n, o, p] · X[n, c, p·stride + k·dilation − pad] over images n and outputs p.
void convWeightGrad(const ConvShape& shape, const float* x, const float* dy, float* dw,
                    const Parallel& parallel);

}  // namespace archwright::kernels
