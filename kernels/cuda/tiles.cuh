// Where the tiles of a matrix lie, and in which order blocks take them.
#pragma once

namespace archwright::cuda {

__host__ __device__ constexpr int ceilDivide(int a, int b) { return (a + b - 1) / b; }

struct Tile {
  int row, column;
};

// Tile number `index` of rows x columns tiles. Numbers run down bands of `kBand` rows, so that tiles
// computed at the same time form a square and share their inputs in the L2 cache.
template <int kBand>
__device__ inline Tile tileAt(int index, int rows, int columns) {
  const int band = index / (kBand * columns);
  const int first = band * kBand;
  const int height = min(kBand, rows - first);
  const int within = index - first * columns;
  return {first + within % height, within / height};
}

}  // namespace archwright::cuda
