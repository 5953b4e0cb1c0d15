// The tf32 and bf16 products on tensor cores by mma.sync, for sm_80 and all that came after.
//
// A block of 8 warps computes 128 x 256 elements, a warp 64 x 64. Rows of 128 bytes of A and B come
// through cp.async into a ring of stages in shared memory; the eight 16-byte chunks of a row lie
// permuted by the row's number, so that neither the copies nor ldmatrix meet in a bank. In bytes both
// types are alike: a fragment of A is 16 rows x 32 bytes, one of B 8 rows x 32 bytes.
#include "check.h"
#include "gemm.h"
#include "tiles.cuh"

namespace archwright::cuda {
namespace {

constexpr int kBlockM = 128;
constexpr int kBlockN = 256;
constexpr int kThreads = 256;
constexpr int kRowBytes = 128;
constexpr int kChunks = kRowBytes / 16;
constexpr int kStageBytes = (kBlockM + kBlockN) * kRowBytes;
constexpr int kMaxStages = 4;
constexpr int kBand = 16;

__device__ inline void multiply(Tf32, float (&d)[4], const uint32_t (&a)[4], uint32_t b0,
                                uint32_t b1) {
  asm(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

__device__ inline void multiply(__nv_bfloat16, float (&d)[4], const uint32_t (&a)[4], uint32_t b0,
                                uint32_t b1) {
  asm(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Four 8 x 16-byte matrices; lane i names row i % 8 of matrix i / 8.
__device__ inline void loadMatrices(uint32_t (&to)[4], uint32_t address) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];"
               : "=r"(to[0]), "=r"(to[1]), "=r"(to[2]), "=r"(to[3])
               : "r"(address)
               : "memory");
}

// Copies the first `bytes` of 16 and fills the rest with zeros.
__device__ inline void copyAsync(uint32_t to, const void* from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes)
               : "memory");
}

__device__ inline void commitCopies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

template <int kPending>
__device__ inline void waitCopies() {
  asm volatile("cp.async.wait_group %0;" ::"n"(kPending) : "memory");
}

__device__ inline uint32_t chunkOffset(int row, int chunk) {
  return static_cast<uint32_t>(row * kRowBytes + ((chunk ^ (row % 8)) * 16));
}

// Rows `first` ... of a matrix, the 128 bytes at byte `at` of each; zeros beyond the matrix.
template <int kRows>
__device__ inline void copyRows(uint32_t to, const char* matrix, int first, int rows,
                                size_t pitchBytes, int at, int rowBytes) {
  const int chunk = static_cast<int>(threadIdx.x) % kChunks;
  const int from = at + chunk * 16;
  const int bytes = max(0, min(16, rowBytes - from));
#pragma unroll
  for (int i = 0; i < kRows; i += kThreads / kChunks) {
    const int row = i + static_cast<int>(threadIdx.x) / kChunks;
    const bool inside = first + row < rows && bytes > 0;
    const size_t offset = inside ? static_cast<size_t>(first + row) * pitchBytes + from : 0;
    copyAsync(to + chunkOffset(row, chunk), matrix + offset, inside ? bytes : 0);
  }
}

__device__ inline void storePair(float* c, float x, float y, bool both) {
  if (both) {
    *reinterpret_cast<float2*>(c) = make_float2(x, y);
  } else {
    *c = x;
  }
}

__device__ inline void storePair(__nv_bfloat16* c, float x, float y, bool both) {
  if (both) {
    *reinterpret_cast<__nv_bfloat162*>(c) = __floats2bfloat162_rn(x, y);
  } else {
    *c = __float2bfloat16_rn(x);
  }
}

template <class T, int kStages>
__global__ void __launch_bounds__(kThreads, 1) mmaKernel(Product p) {
  using In = typename Storage<T>::In;
  using Out = typename Storage<T>::Out;
  extern __shared__ __align__(128) char shared[];
  const auto base = static_cast<uint32_t>(__cvta_generic_to_shared(shared));
  const char* a = static_cast<const char*>(p.a);
  const char* b = static_cast<const char*>(p.b);
  const Tile tile =
      tileAt<kBand>(static_cast<int>(blockIdx.x), ceilDivide(p.m, kBlockM), ceilDivide(p.n, kBlockN));
  const int lane = static_cast<int>(threadIdx.x) % 32;
  const int warp = static_cast<int>(threadIdx.x) / 32;
  const int warpM = (warp % 2) * 64;
  const int warpN = (warp / 2) * 64;

  const int rowBytes = p.k * static_cast<int>(sizeof(In));
  const int steps = ceilDivide(rowBytes, kRowBytes);
  const auto copyStage = [&](int step) {
    const uint32_t stage = base + static_cast<uint32_t>((step % kStages) * kStageBytes);
    const int at = step * kRowBytes;
    copyRows<kBlockM>(stage, a, tile.row * kBlockM, p.m, p.lda * sizeof(In), at, rowBytes);
    copyRows<kBlockN>(stage + kBlockM * kRowBytes, b, tile.column * kBlockN, p.n,
                      p.ldb * sizeof(In), at, rowBytes);
  };

  // An empty group is committed where there is nothing to copy: waiting counts groups.
  for (int step = 0; step < kStages - 1; ++step) {
    if (step < steps) copyStage(step);
    commitCopies();
  }

  float sums[4][8][4] = {};
  // Within the four matrices of a fragment: of A the second 8 rows come before the second 16 bytes,
  // of B (two fragments at once) the second 16 bytes before the second 8 rows.
  const int rowA = warpM + lane % 16;
  const int halfA = lane / 16;
  const int rowB = warpN + lane % 8 + (lane / 16) * 8;
  const int halfB = (lane / 8) % 2;
  for (int step = 0; step < steps; ++step) {
    waitCopies<kStages - 2>();
    __syncthreads();  // all have waited for their copies, and none still reads the stage before
    if (step + kStages - 1 < steps) copyStage(step + kStages - 1);
    commitCopies();
    const uint32_t stageA = base + static_cast<uint32_t>((step % kStages) * kStageBytes);
    const uint32_t stageB = stageA + kBlockM * kRowBytes;
#pragma unroll
    for (int part = 0; part < kChunks / 2; ++part) {
      uint32_t left[4][4];
      uint32_t right[4][4];
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        loadMatrices(left[i], stageA + chunkOffset(rowA + i * 16, part * 2 + halfA));
      }
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        loadMatrices(right[i], stageB + chunkOffset(rowB + i * 16, part * 2 + halfB));
      }
#pragma unroll
      for (int x = 0; x < 4; ++x) {
#pragma unroll
        for (int y = 0; y < 8; ++y) {
          multiply(T(), sums[x][y], left[x], right[y / 2][(y % 2) * 2],
                   right[y / 2][(y % 2) * 2 + 1]);
        }
      }
    }
  }

  Out* c = static_cast<Out*>(p.c);
#pragma unroll
  for (int x = 0; x < 4; ++x) {
#pragma unroll
    for (int half = 0; half < 2; ++half) {
      const int m = tile.row * kBlockM + warpM + x * 16 + half * 8 + lane / 4;
      if (m >= p.m) continue;
#pragma unroll
      for (int y = 0; y < 8; ++y) {
        const int n = tile.column * kBlockN + warpN + y * 8 + (lane % 4) * 2;
        if (n >= p.n) continue;
        storePair(c + static_cast<size_t>(m) * p.ldc + n, sums[x][y][half * 2],
                  sums[x][y][half * 2 + 1], n + 1 < p.n);
      }
    }
  }
}

template <class T, int kStages>
void launchStages(const Product& product, cudaStream_t stream) {
  constexpr int kBytes = kStages * kStageBytes;
  AW_CUDA_CHECK(cudaFuncSetAttribute(mmaKernel<T, kStages>,
                                     cudaFuncAttributeMaxDynamicSharedMemorySize, kBytes));
  const int tiles = ceilDivide(product.m, kBlockM) * ceilDivide(product.n, kBlockN);
  mmaKernel<T, kStages><<<tiles, kThreads, kBytes, stream>>>(product);
  AW_CUDA_CHECK(cudaGetLastError());
}

}  // namespace

template <class T>
void launchMma(const Product& product, cudaStream_t stream) {
  int device = 0;
  int available = 0;
  AW_CUDA_CHECK(cudaGetDevice(&device));
  AW_CUDA_CHECK(
      cudaDeviceGetAttribute(&available, cudaDevAttrMaxSharedMemoryPerBlockOptin, device));
  // 163 KiB on sm_80, 227 on sm_90, 99 on the smaller chips beside them.
  const int stages = available / kStageBytes;
  if (stages >= kMaxStages) return launchStages<T, kMaxStages>(product, stream);
  if (stages == 3) return launchStages<T, 3>(product, stream);
  return launchStages<T, 2>(product, stream);
}

template void launchMma<Tf32>(const Product&, cudaStream_t);
template void launchMma<__nv_bfloat16>(const Product&, cudaStream_t);

}  // namespace archwright::cuda
