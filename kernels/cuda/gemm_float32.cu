// The float32 product on ordinary multiply-add units.
//
// A block of 256 threads computes 128 x 256 elements, a thread 8 x 16 of them: 128 multiply-adds for
// 24 loaded numbers. Fewer would leave shared memory, at 128 bytes a clock, behind the 128 units.
// Each step covers 8 of k; the next step's numbers are fetched from memory while this one computes.
#include "check.h"
#include "gemm.h"
#include "tiles.cuh"

namespace archwright::cuda {
namespace {

constexpr int kBlockM = 128;
constexpr int kBlockN = 256;
constexpr int kStep = 8;
constexpr int kThreads = 256;
// Four more, so that the 16 rows x 2 quads that a warp stores at once fall into different banks.
constexpr int kPitchA = kBlockM + 4;
constexpr int kPitchB = kBlockN + 4;
constexpr int kBand = 16;

struct Shared {
  float a[2][kStep][kPitchA];
  float b[2][kStep][kPitchB];
};

// Four neighbours of a row; zeros beyond the matrix.
__device__ inline float4 fetch(const float* matrix, int row, int rows, int ld, int at, int k) {
  if (row >= rows || at >= k) return make_float4(0, 0, 0, 0);
  float4 value = *reinterpret_cast<const float4*>(matrix + static_cast<size_t>(row) * ld + at);
  if (at + 4 > k) {
    if (at + 1 >= k) value.y = 0;
    if (at + 2 >= k) value.z = 0;
    value.w = 0;
  }
  return value;
}

template <int kPitch>
__device__ inline void store(float (*tile)[kPitch], int row, int quad, const float4& value) {
  tile[quad * 4 + 0][row] = value.x;
  tile[quad * 4 + 1][row] = value.y;
  tile[quad * 4 + 2][row] = value.z;
  tile[quad * 4 + 3][row] = value.w;
}

__device__ inline void load(float* to, const float* from) {
  const float4 value = *reinterpret_cast<const float4*>(from);
  to[0] = value.x;
  to[1] = value.y;
  to[2] = value.z;
  to[3] = value.w;
}

__global__ void __launch_bounds__(kThreads, 1) float32Kernel(Product p) {
  __shared__ alignas(16) Shared shared;
  const float* a = static_cast<const float*>(p.a);
  const float* b = static_cast<const float*>(p.b);
  const Tile tile =
      tileAt<kBand>(static_cast<int>(blockIdx.x), ceilDivide(p.m, kBlockM), ceilDivide(p.n, kBlockN));
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;

  // Fetching: a warp takes 16 rows of two quads, whole sectors of 32 bytes.
  const int quad = lane / 16;
  const int row = warp * 16 + lane % 16;
  const int rowA = tile.row * kBlockM + row;
  const int rowB = tile.column * kBlockN + row;

  // Computing: 2 x 4 warps of 64 x 64 elements, 8 x 4 threads each.
  const int threadM = (warp % 2) * 64 + (lane % 8) * 4;
  const int threadN = (warp / 2) * 64 + (lane / 8) * 4;
  float sums[8][16] = {};

  float4 nextA = fetch(a, rowA, p.m, p.lda, quad * 4, p.k);
  float4 nextB0 = fetch(b, rowB, p.n, p.ldb, quad * 4, p.k);
  float4 nextB1 = fetch(b, rowB + 128, p.n, p.ldb, quad * 4, p.k);
  int stage = 0;
  for (int at = 0; at < p.k; at += kStep, stage ^= 1) {
    store(shared.a[stage], row, quad, nextA);
    store(shared.b[stage], row, quad, nextB0);
    store(shared.b[stage], row + 128, quad, nextB1);
    // One barrier a step is enough: who stores into a stage has passed the barrier after the step
    // that read it last.
    __syncthreads();
    const int next = at + kStep + quad * 4;
    nextA = fetch(a, rowA, p.m, p.lda, next, p.k);
    nextB0 = fetch(b, rowB, p.n, p.ldb, next, p.k);
    nextB1 = fetch(b, rowB + 128, p.n, p.ldb, next, p.k);
#pragma unroll
    for (int i = 0; i < kStep; ++i) {
      float left[8];
      float right[16];
#pragma unroll
      for (int q = 0; q < 2; ++q) load(left + 4 * q, &shared.a[stage][i][threadM + 32 * q]);
#pragma unroll
      for (int q = 0; q < 4; ++q) load(right + 4 * q, &shared.b[stage][i][threadN + 16 * q]);
#pragma unroll
      for (int x = 0; x < 8; ++x) {
#pragma unroll
        for (int y = 0; y < 16; ++y) sums[x][y] += left[x] * right[y];
      }
    }
  }

  float* c = static_cast<float*>(p.c);
#pragma unroll
  for (int x = 0; x < 8; ++x) {
    const int m = tile.row * kBlockM + threadM + (x / 4) * 32 + x % 4;
    if (m >= p.m) continue;
#pragma unroll
    for (int y = 0; y < 16; ++y) {
      const int n = tile.column * kBlockN + threadN + (y / 4) * 16 + y % 4;
      if (n < p.n) c[static_cast<size_t>(m) * p.ldc + n] = sums[x][y];
    }
  }
}

}  // namespace

void launchFloat32(const Product& product, cudaStream_t stream) {
  const int tiles = ceilDivide(product.m, kBlockM) * ceilDivide(product.n, kBlockN);
  float32Kernel<<<tiles, kThreads, 0, stream>>>(product);
  AW_CUDA_CHECK(cudaGetLastError());
}

}  // namespace archwright::cuda
