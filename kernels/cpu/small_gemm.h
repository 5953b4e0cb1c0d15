// Products of matrices that fit into a core's cache. Columns of B and C come in whole blocks of 16:
// the caller pads.
#pragma once

#include <cstdint>

namespace archwright::kernels {

// Columns are padded to a multiple of this.
constexpr int64_t kColumnBlock = 16;

inline int64_t paddedColumns(int64_t columns) {
  return (columns + kColumnBlock - 1) / kColumnBlock * kColumnBlock;
}

// A of [rows, inner] as two strides, so that a transposed matrix needs no copy.
struct MatrixView {
  const float* data;
  int64_t rowStride, columnStride;
};

// C = A·B, or C += A·B with `accumulate`. B is [inner, columns] and C [rows, columns], row-major
// with these pitches.
void smallGemm(int64_t rows, int64_t columns, int64_t inner, MatrixView a, const float* b,
               int64_t pitchB, float* c, int64_t pitchC, bool accumulate);

}  // namespace archwright::kernels
