#include "cpu/draw_tensor.h"

#include <algorithm>
#include <cmath>

#include "cpu/draws.h"
#include "cpu/simd.h"

namespace archwright::kernels {

namespace {

constexpr int kLanes = 8;
constexpr int kWords = 4;
constexpr int64_t kGroup = kLanes * kWords;

// Words of kLanes neighbouring blocks, one round for all lanes at a time: the loops vectorise, to
// whatever width.
template <int Width>
ARCHWRIGHT_INLINE void blocks_body(uint32_t first, uint32_t low, uint32_t high, uint32_t seed,
                                   uint32_t words[kWords][kLanes]) {
  uint32_t c0[kLanes], c1[kLanes], c2[kLanes], c3[kLanes];
  for (int l = 0; l < kLanes; l++) {
    c0[l] = first + static_cast<uint32_t>(l);
    c1[l] = 0;
    c2[l] = low;
    c3[l] = high;
  }
  uint32_t k0 = seed;
  uint32_t k1 = static_cast<uint32_t>(Purpose::kTensor);
  for (int round = 0; round < 10; round++) {
    for (int l = 0; l < kLanes; l++) {
      const uint64_t a = uint64_t{0xD2511F53} * c0[l];
      const uint64_t b = uint64_t{0xCD9E8D57} * c2[l];
      c0[l] = static_cast<uint32_t>(b >> 32) ^ c1[l] ^ k0;
      c1[l] = static_cast<uint32_t>(b);
      c2[l] = static_cast<uint32_t>(a >> 32) ^ c3[l] ^ k1;
      c3[l] = static_cast<uint32_t>(a);
    }
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  for (int l = 0; l < kLanes; l++) {
    words[0][l] = c0[l];
    words[1][l] = c1[l];
    words[2][l] = c2[l];
    words[3][l] = c3[l];
  }
}
ARCHWRIGHT_DISPATCH(blocks,
                    (uint32_t first, uint32_t low, uint32_t high, uint32_t seed,
                     uint32_t words[kWords][kLanes]),
                    (first, low, high, seed, words))

float uniform(uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24f; }

// Two normal numbers from two words (G. Box, M. Muller, 1958).
void normalPair(uint32_t a, uint32_t b, float* pair) {
  const double radius = std::sqrt(-2 * std::log((a + 0.5) / 4294967296.0));
  const double angle = 2 * 3.14159265358979323846 * ((b + 0.5) / 4294967296.0);
  pair[0] = static_cast<float>(radius * std::cos(angle));
  pair[1] = static_cast<float>(radius * std::sin(angle));
}

void drawGroup(const DrawTensor& draws, uint64_t run, int64_t group, float* values) {
  uint32_t words[kWords][kLanes];
  blocks(static_cast<uint32_t>(group * kLanes), static_cast<uint32_t>(run),
         static_cast<uint32_t>(run >> 32), draws.seed, words);
  for (int l = 0; l < kLanes; l++) {
    float* block = values + l * kWords;
    if (draws.normal) {
      normalPair(words[0][l], words[1][l], block);
      normalPair(words[2][l], words[3][l], block + 2);
    } else {
      for (int w = 0; w < kWords; w++) block[w] = uniform(words[w][l]);
    }
  }
}

}  // namespace

void drawTensor(const DrawTensor& draws, uint64_t run, int64_t count, float* y,
                const Parallel& parallel) {
  const int64_t groups = (count + kGroup - 1) / kGroup;
  const int64_t tasks =
      std::max<int64_t>(1, std::min<int64_t>(static_cast<int64_t>(parallel.threads), groups));
  parallel.run(static_cast<size_t>(tasks), [&](size_t task) {
    const auto index = static_cast<int64_t>(task);
    for (int64_t g = groups * index / tasks; g < groups * (index + 1) / tasks; g++) {
      float values[kGroup];
      drawGroup(draws, run, g, values);
      const int64_t size = std::min(kGroup, count - g * kGroup);
      for (int64_t i = 0; i < size; i++) y[g * kGroup + i] = draws.offset + draws.scale * values[i];
    }
  });
}

}  // namespace archwright::kernels
