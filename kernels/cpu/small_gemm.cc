#include "cpu/small_gemm.h"

#include "cpu/simd.h"

namespace archwright::kernels {

namespace {

// A block of C that stays in registers while the inner dimension goes by.
template <int Width, int Rows, int Vectors>
ARCHWRIGHT_INLINE void block(int64_t inner, MatrixView a, const float* b, int64_t pitchB, float* c,
                             int64_t pitchC, bool accumulate) {
  Vec<Width> total[Rows][Vectors];
  ARCHWRIGHT_UNROLL for (int r = 0; r < Rows; r++)
    ARCHWRIGHT_UNROLL for (int v = 0; v < Vectors; v++)
      total[r][v] = accumulate ? load<Width>(c + r * pitchC + v * Width) : splat<Width>(0);
  for (int64_t k = 0; k < inner; k++) {
    Vec<Width> row[Vectors];
    ARCHWRIGHT_UNROLL for (int v = 0; v < Vectors; v++) row[v] = load<Width>(b + k * pitchB + v * Width);
    ARCHWRIGHT_UNROLL for (int r = 0; r < Rows; r++) {
      const Vec<Width> factor = splat<Width>(a.data[r * a.rowStride + k * a.columnStride]);
      ARCHWRIGHT_UNROLL for (int v = 0; v < Vectors; v++) total[r][v] += factor * row[v];
    }
  }
  ARCHWRIGHT_UNROLL for (int r = 0; r < Rows; r++)
    ARCHWRIGHT_UNROLL for (int v = 0; v < Vectors; v++) store<Width>(c + r * pitchC + v * Width, total[r][v]);
}

template <int Width, int Vectors>
ARCHWRIGHT_INLINE void panel(int64_t rows, int64_t inner, MatrixView a, const float* b,
                             int64_t pitchB, float* c, int64_t pitchC, bool accumulate) {
  // 32 registers with AVX-512, 16 without.
  constexpr int kRows = Width == 16 ? 8 : 4;
  int64_t r = 0;
  for (; r + kRows <= rows; r += kRows) {
    const MatrixView part{a.data + r * a.rowStride, a.rowStride, a.columnStride};
    block<Width, kRows, Vectors>(inner, part, b, pitchB, c + r * pitchC, pitchC, accumulate);
  }
  for (; r < rows; r++) {
    const MatrixView part{a.data + r * a.rowStride, a.rowStride, a.columnStride};
    block<Width, 1, Vectors>(inner, part, b, pitchB, c + r * pitchC, pitchC, accumulate);
  }
}

template <int Width>
ARCHWRIGHT_INLINE void gemm_body(int64_t rows, int64_t columns, int64_t inner, MatrixView a,
                                 const float* b, int64_t pitchB, float* c, int64_t pitchC,
                                 bool accumulate) {
  int64_t j = 0;
  for (; j + 2 * Width <= columns; j += 2 * Width)
    panel<Width, 2>(rows, inner, a, b + j, pitchB, c + j, pitchC, accumulate);
  for (; j < columns; j += Width)
    panel<Width, 1>(rows, inner, a, b + j, pitchB, c + j, pitchC, accumulate);
}
ARCHWRIGHT_DISPATCH(gemm,
                    (int64_t rows, int64_t columns, int64_t inner, MatrixView a, const float* b,
                     int64_t pitchB, float* c, int64_t pitchC, bool accumulate),
                    (rows, columns, inner, a, b, pitchB, c, pitchC, accumulate))

}  // namespace

void smallGemm(int64_t rows, int64_t columns, int64_t inner, MatrixView a, const float* b,
               int64_t pitchB, float* c, int64_t pitchC, bool accumulate) {
  gemm(rows, columns, inner, a, b, pitchB, c, pitchC, accumulate);
}

}  // namespace archwright::kernels
