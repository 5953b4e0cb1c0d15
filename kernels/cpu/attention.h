// Scaled dot-product attention, head by head, without the matrix of scores in memory: a block of its
// rows lives in the cache, and the backward pass computes it again from the row's normaliser
// (FlashAttention, arXiv 2205.14135 and 2307.08691).
#pragma once

#include <cstdint>

#include "cpu/parallel.h"

namespace archwright::kernels {

// Queries are [batch, queries, heads, depth], keys [batch, keys, heads, depth], values
// [batch, keys, heads, valueDepth].
struct AttentionShape {
  int64_t batch, heads, queries, keys, depth, valueDepth;
  float scale;
};

// y = softmax(scale · Q·Kᵀ)·V as [batch, queries, heads, valueDepth], and the logarithm of each row's
// sum of exponentials as [batch, heads, queries].
struct AttentionForward {
  const float *q, *k, *v;
  float *y, *normaliser;
};
void attentionForward(const AttentionShape& shape, const AttentionForward& args,
                      const Parallel& parallel);

// With P the softmax: dV = Pᵀ·dY, dS = P∘(dY·Vᵀ − Σ dY∘Y), dQ = scale · dS·K, dK = scale · dSᵀ·Q.
struct AttentionBackward {
  const float *dy, *q, *k, *v, *y, *normaliser;
  float *dq, *dk, *dv;
};
void attentionBackward(const AttentionShape& shape, const AttentionBackward& args,
                       const Parallel& parallel);

}  // namespace archwright::kernels
