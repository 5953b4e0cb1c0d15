// The tf32 and bf16 products on Hopper's tensor cores: wgmma fed by the bulk copy engine. Compiled
// for sm_90a alone.
//
// A cluster of two blocks computes 256 x 256 elements at a time, a block 128 rows of them, and goes
// on to the next until none are left. In a block, one thread (the producer) keeps a ring of stages
// in shared memory filled; two warpgroups of 128 threads (the consumers) multiply 64 x 256 elements
// each. A stage holds 128 bytes of k of 128 rows of A and 256 of B. Both blocks need the same rows of
// B: each fetches half of them and sends them to both, so that the L2 cache is read a third less.
//
// Two barriers a stage. `full`: the bytes have arrived, counted by the copy engine; the producer's own
// arrival announces how many. `empty`: all consumers of both blocks have read the stage, since the
// producers of both write into it. A barrier's phase is waited for by its parity, which flips each
// time that the ring has gone round.
//
// The layout of a stage is the engine's 128-byte swizzle, which wgmma reads: rows of 128 bytes, eight
// of them a pattern of 1024 bytes. In bytes both types are alike: one wgmma takes 32 bytes of k.
//
// Waiting is bounded: a fault of this protocol ends in a trap, that is an error, not in a hang.
#include <cuda.h>

#include <algorithm>

#include "check.h"
#include "gemm.h"
#include "tiles.cuh"

namespace archwright::cuda {
namespace {

constexpr int kBlockM = 128;
constexpr int kBlockN = 256;
constexpr int kRowBytes = 128;
constexpr int kStages = 4;
constexpr int kCluster = 2;
constexpr int kConsumers = 2;
constexpr int kGroupThreads = 128;
constexpr int kThreads = kGroupThreads * (1 + kConsumers);
constexpr int kBytesA = kBlockM * kRowBytes;
constexpr int kBytesB = kBlockN * kRowBytes;
constexpr int kHalfB = kBytesB / kCluster;
constexpr int kStageBytes = kBytesA + kBytesB;
// The pattern of the swizzle is aligned to its 1024 bytes.
constexpr int kSharedBytes = kStages * kStageBytes + 1024;
// Of 168 registers that every thread has at the start, the producer's warpgroup gives to the others.
constexpr int kProducerRegisters = 40;
constexpr int kConsumerRegisters = 232;
// Clusters that work at the same time compute about 8 x 8 tiles.
constexpr int kBand = 8;
// Tries of a wait; a try suspends the thread for a while by itself, so this is seconds.
constexpr uint32_t kMaxTries = 1u << 24;

// ---- barriers -------------------------------------------------------------------------------------

__device__ inline void initBarrier(uint32_t barrier, int arrivals) {
  asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(barrier), "r"(arrivals) : "memory");
}

// This thread's arrival, and `bytes` to be waited for besides.
__device__ inline void arriveExpecting(uint32_t barrier, int bytes) {
  asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(barrier), "r"(bytes)
               : "memory");
}

// Arrives at the barrier at the same place in block `rank` of the cluster.
__device__ inline void arriveAt(uint32_t barrier, uint32_t rank) {
  asm volatile(
      "{\n"
      ".reg .b32 remote;\n"
      "mapa.shared::cluster.u32 remote, %0, %1;\n"
      "mbarrier.arrive.release.cluster.shared::cluster.b64 _, [remote];\n"
      "}" ::"r"(barrier),
      "r"(rank)
      : "memory");
}

__device__ inline bool tryWait(uint32_t barrier, uint32_t parity) {
  uint32_t done;
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "mbarrier.try_wait.parity.acquire.cluster.shared::cta.b64 p, [%1], %2;\n"
      "selp.u32 %0, 1, 0, p;\n"
      "}"
      : "=r"(done)
      : "r"(barrier), "r"(parity)
      : "memory");
  return done != 0;
}

__device__ inline void wait(uint32_t barrier, uint32_t parity) {
  for (uint32_t tries = 0; !tryWait(barrier, parity); ++tries) {
    if (tries == kMaxTries) __trap();
  }
}

// All threads of both blocks, and what they wrote before.
__device__ inline void syncCluster() {
  asm volatile(
      "barrier.cluster.arrive.release;\n"
      "barrier.cluster.wait.acquire;" ::
          : "memory");
}

__device__ inline uint32_t clusterRank() {
  uint32_t rank;
  asm volatile("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  return rank;
}

// ---- copies ---------------------------------------------------------------------------------------

// The box of `map` at element (at, row) into shared memory, counted by `barrier`.
__device__ inline void copyBox(uint32_t to, const CUtensorMap& map, int at, int row,
                               uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes "
      "[%0], [%1, {%2, %3}], [%4];" ::"r"(to),
      "l"(&map), "r"(at), "r"(row), "r"(barrier)
      : "memory");
}

// The same into the same place of both blocks, counted by the barrier of each.
__device__ inline void copyBoxToBoth(uint32_t to, const CUtensorMap& map, int at, int row,
                                     uint32_t barrier) {
  asm volatile(
      "cp.async.bulk.tensor.2d.shared::cluster.global.mbarrier::complete_tx::bytes"
      ".multicast::cluster [%0], [%1, {%2, %3}], [%4], %5;" ::"r"(to),
      "l"(&map), "r"(at), "r"(row), "r"(barrier), "h"(static_cast<uint16_t>(3))
      : "memory");
}

// ---- multiplying ----------------------------------------------------------------------------------

// How wgmma finds a matrix whose rows run along k: its address, 1024 bytes from one eight rows to the
// next, 128-byte swizzle (1 in the upper two bits). Addresses and distances count 16 bytes.
__device__ inline uint64_t describe(uint32_t address) {
  return static_cast<uint64_t>((address & 0x3FFFF) >> 4) | (uint64_t{1} << 16) |
         (uint64_t{1024 >> 4} << 32) | (uint64_t{1} << 62);
}

__device__ inline void fenceMultiply() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }

__device__ inline void commitMultiply() {
  asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
}

template <int kPending>
__device__ inline void waitMultiply() {
  asm volatile("wgmma.wait_group.sync.aligned %0;" ::"n"(kPending) : "memory");
}

#define AW_ACCUMULATORS \
  "%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, " \
  "%17, %18, %19, %20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31, " \
  "%32, %33, %34, %35, %36, %37, %38, %39, %40, %41, %42, %43, %44, %45, %46, " \
  "%47, %48, %49, %50, %51, %52, %53, %54, %55, %56, %57, %58, %59, %60, %61, " \
  "%62, %63, %64, %65, %66, %67, %68, %69, %70, %71, %72, %73, %74, %75, %76, " \
  "%77, %78, %79, %80, %81, %82, %83, %84, %85, %86, %87, %88, %89, %90, %91, " \
  "%92, %93, %94, %95, %96, %97, %98, %99, %100, %101, %102, %103, %104, %105, " \
  "%106, %107, %108, %109, %110, %111, %112, %113, %114, %115, %116, %117, %118, " \
  "%119, %120, %121, %122, %123, %124, %125, %126, %127"
#define AW_8(i)                                                                          \
  "+f"(d[i]), "+f"(d[i + 1]), "+f"(d[i + 2]), "+f"(d[i + 3]), "+f"(d[i + 4]), "+f"(d[i + 5]), \
      "+f"(d[i + 6]), "+f"(d[i + 7])
#define AW_64(i)                                                                            \
  AW_8(i), AW_8(i + 8), AW_8(i + 16), AW_8(i + 24), AW_8(i + 32), AW_8(i + 40), AW_8(i + 48), \
      AW_8(i + 56)

// d (64 x 256) = A B^T, or += where `add` is not 0. Begins the work; `waitMultiply` ends it.
__device__ inline void multiply(__nv_bfloat16, float (&d)[128], uint64_t a, uint64_t b, int add) {
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "setp.ne.b32 p, %130, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k16.f32.bf16.bf16 {" AW_ACCUMULATORS
      "}, %128, %129, p, 1, 1, 0, 0;\n"
      "}"
      : AW_64(0), AW_64(64)
      : "l"(a), "l"(b), "r"(add));
}

__device__ inline void multiply(Tf32, float (&d)[128], uint64_t a, uint64_t b, int add) {
  asm volatile(
      "{\n"
      ".reg .pred p;\n"
      "setp.ne.b32 p, %130, 0;\n"
      "wgmma.mma_async.sync.aligned.m64n256k8.f32.tf32.tf32 {" AW_ACCUMULATORS
      "}, %128, %129, p, 1, 1;\n"
      "}"
      : AW_64(0), AW_64(64)
      : "l"(a), "l"(b), "r"(add));
}

// ---- the kernel -----------------------------------------------------------------------------------

// A place in the ring.
struct Place {
  int stage = 0;
  uint32_t parity = 0;
  __device__ void advance() {
    if (++stage == kStages) {
      stage = 0;
      parity ^= 1;
    }
  }
};

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

template <class T>
__global__ void __cluster_dims__(kCluster, 1, 1) __launch_bounds__(kThreads, 1)
    wgmmaKernel(const __grid_constant__ CUtensorMap mapA, const __grid_constant__ CUtensorMap mapB,
                const __grid_constant__ Product p) {
  using Out = typename Storage<T>::Out;
  constexpr int kStepK = kRowBytes / static_cast<int>(sizeof(typename Storage<T>::In));
  extern __shared__ char dynamicShared[];
  __shared__ alignas(8) uint64_t barriers[2 * kStages];

  const auto unaligned = static_cast<uint32_t>(__cvta_generic_to_shared(dynamicShared));
  const uint32_t ring = (unaligned + 1023) & ~1023u;
  const auto barrierBase = static_cast<uint32_t>(__cvta_generic_to_shared(barriers));
  const auto full = [&](int stage) { return barrierBase + static_cast<uint32_t>(stage * 8); };
  const auto empty = [&](int stage) {
    return barrierBase + static_cast<uint32_t>((kStages + stage) * 8);
  };

  const uint32_t rank = clusterRank();
  const int group = static_cast<int>(threadIdx.x) / kGroupThreads;
  const int tileRows = ceilDivide(p.m, kBlockM * kCluster);
  const int tileColumns = ceilDivide(p.n, kBlockN);
  const int tiles = tileRows * tileColumns;
  const int firstTile = static_cast<int>(blockIdx.x) / kCluster;
  const int clusters = static_cast<int>(gridDim.x) / kCluster;
  const int steps = ceilDivide(p.k, kStepK);

  if (threadIdx.x == 0) {
    for (int stage = 0; stage < kStages; ++stage) {
      initBarrier(full(stage), 1);
      // One lane of each consuming warp of each block.
      initBarrier(empty(stage), kCluster * kConsumers * (kGroupThreads / 32));
    }
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
  }
  syncCluster();

  if (group == 0) {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kProducerRegisters));
    if (threadIdx.x == 0) {
      Place place;
      for (int index = firstTile; index < tiles; index += clusters) {
        const Tile tile = tileAt<kBand>(index, tileRows, tileColumns);
        const int rowA = (tile.row * kCluster + static_cast<int>(rank)) * kBlockM;
        const int rowB = tile.column * kBlockN + static_cast<int>(rank) * (kBlockN / kCluster);
        for (int step = 0; step < steps; ++step, place.advance()) {
          // A fresh barrier counts as having just completed the phase of parity 1.
          wait(empty(place.stage), place.parity ^ 1);
          arriveExpecting(full(place.stage), kStageBytes);
          const uint32_t stage = ring + static_cast<uint32_t>(place.stage * kStageBytes);
          copyBox(stage, mapA, step * kStepK, rowA, full(place.stage));
          copyBoxToBoth(stage + kBytesA + rank * kHalfB, mapB, step * kStepK, rowB,
                        full(place.stage));
        }
      }
    }
  } else {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kConsumerRegisters));
    const int lane = static_cast<int>(threadIdx.x) % 32;
    const int warp = static_cast<int>(threadIdx.x) % kGroupThreads / 32;
    const int groupM = (group - 1) * 64;
    const auto release = [&](int stage) {
      if (lane < kCluster) arriveAt(empty(stage), static_cast<uint32_t>(lane));
    };
    float sums[128];
    Place place;
    for (int index = firstTile; index < tiles; index += clusters) {
      const Tile tile = tileAt<kBand>(index, tileRows, tileColumns);
      int former = 0;
      for (int step = 0; step < steps; ++step, place.advance()) {
        wait(full(place.stage), place.parity);
        const uint32_t stage = ring + static_cast<uint32_t>(place.stage * kStageBytes);
        const uint64_t a = describe(stage + static_cast<uint32_t>(groupM * kRowBytes));
        const uint64_t b = describe(stage + kBytesA);
        fenceMultiply();
#pragma unroll
        for (int part = 0; part < kRowBytes / 32; ++part) {
          // 32 bytes further along the rows: two units of an address.
          multiply(T(), sums, a + part * 2, b + part * 2, step + part);
        }
        commitMultiply();
        // The stage before this one has been read once all but the newest group have ended.
        waitMultiply<1>();
        if (step > 0) release(former);
        former = place.stage;
      }
      waitMultiply<0>();
      release(former);

      Out* c = static_cast<Out*>(p.c);
      const int firstM = (tile.row * kCluster + static_cast<int>(rank)) * kBlockM + groupM +
                         warp * 16 + lane / 4;
      const int firstN = tile.column * kBlockN + (lane % 4) * 2;
#pragma unroll
      for (int half = 0; half < 2; ++half) {
        const int m = firstM + half * 8;
        if (m >= p.m) continue;
        Out* row = c + static_cast<size_t>(m) * p.ldc;
#pragma unroll
        for (int y = 0; y < kBlockN / 8; ++y) {
          const int n = firstN + y * 8;
          if (n >= p.n) continue;
          storePair(row + n, sums[y * 4 + half * 2], sums[y * 4 + half * 2 + 1], n + 1 < p.n);
        }
      }
    }
  }
  // Neither block ends while the other may still send to it or arrive at its barriers.
  syncCluster();
}

// ---- launching ------------------------------------------------------------------------------------

using EncodeTiled = decltype(&cuTensorMapEncodeTiled);

// The driver's function, found through the runtime: this library is not linked with the driver.
EncodeTiled findEncodeTiled() {
  void* function = nullptr;
  cudaDriverEntryPointQueryResult result{};
  AW_CUDA_CHECK(cudaGetDriverEntryPointByVersion("cuTensorMapEncodeTiled", &function, 12000,
                                                 cudaEnableDefault, &result));
  if (result != cudaDriverEntryPointSuccess || function == nullptr) {
    throw Error(AW_CUDA_UNSUPPORTED, "the driver has no cuTensorMapEncodeTiled");
  }
  return reinterpret_cast<EncodeTiled>(function);
}

// Boxes of 128 rows x 128 bytes of a row-major matrix; zeros beyond it.
template <class T>
CUtensorMap createMap(const void* matrix, int rows, int columns, int ld) {
  static const EncodeTiled encode = findEncodeTiled();
  constexpr auto kElement = sizeof(typename Storage<T>::In);
  constexpr auto kType = kElement == 2 ? CU_TENSOR_MAP_DATA_TYPE_BFLOAT16
                                       : CU_TENSOR_MAP_DATA_TYPE_FLOAT32;
  const cuuint64_t sizes[] = {static_cast<cuuint64_t>(columns), static_cast<cuuint64_t>(rows)};
  const cuuint64_t pitches[] = {static_cast<cuuint64_t>(ld) * kElement};
  const cuuint32_t box[] = {kRowBytes / kElement, 128};
  const cuuint32_t steps[] = {1, 1};
  CUtensorMap map;
  const CUresult result =
      encode(&map, kType, 2, const_cast<void*>(matrix), sizes, pitches, box, steps,
             CU_TENSOR_MAP_INTERLEAVE_NONE, CU_TENSOR_MAP_SWIZZLE_128B,
             CU_TENSOR_MAP_L2_PROMOTION_L2_256B, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
  if (result != CUDA_SUCCESS) {
    throw Error(AW_CUDA_FAILED, "cuTensorMapEncodeTiled failed with " + std::to_string(result));
  }
  return map;
}

// Clusters that the device runs at the same time: a processor takes one block, and both blocks of a
// cluster must lie in one group of processors, of which some have an odd number.
template <class T>
int countActiveClusters() {
  cudaLaunchAttribute shape{};
  shape.id = cudaLaunchAttributeClusterDimension;
  shape.val.clusterDim = {kCluster, 1, 1};
  cudaLaunchConfig_t config{};
  config.gridDim = dim3(kCluster);
  config.blockDim = dim3(kThreads);
  config.dynamicSmemBytes = kSharedBytes;
  config.attrs = &shape;
  config.numAttrs = 1;
  int clusters = 0;
  AW_CUDA_CHECK(cudaOccupancyMaxActiveClusters(&clusters, wgmmaKernel<T>, &config));
  if (clusters < 1) throw Error(AW_CUDA_UNSUPPORTED, "the device runs no cluster of two blocks");
  return clusters;
}

}  // namespace

static_assert(kBlockM == 128 && kBlockN / kCluster == 128, "the boxes of createMap have 128 rows");

template <class T>
void launchWgmma(const Product& product, cudaStream_t stream) {
  AW_CUDA_CHECK(cudaFuncSetAttribute(wgmmaKernel<T>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                                     kSharedBytes));
  const CUtensorMap mapA = createMap<T>(product.a, product.m, product.k, product.lda);
  const CUtensorMap mapB = createMap<T>(product.b, product.n, product.k, product.ldb);
  const int tiles = ceilDivide(product.m, kBlockM * kCluster) * ceilDivide(product.n, kBlockN);
  const int clusters = std::min(tiles, countActiveClusters<T>());
  wgmmaKernel<T><<<clusters * kCluster, kThreads, kSharedBytes, stream>>>(mapA, mapB, product);
  AW_CUDA_CHECK(cudaGetLastError());
}

template void launchWgmma<Tf32>(const Product&, cudaStream_t);
template void launchWgmma<__nv_bfloat16>(const Product&, cudaStream_t);

}  // namespace archwright::cuda
