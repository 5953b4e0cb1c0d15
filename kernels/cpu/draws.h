// Random draws of training (augmentation, dropout, noise), by a counter-based generator: a draw is a function of what it is
// for, so no state is carried from step to step, and a training that goes on at any step draws what it
// would have drawn without the stop.
//
// Generator: Philox4x32-10 (J. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC 2011).
// A draw's words w0 … w3 are the block of
//   key     (seed, purpose)
//   counter (place, 0, step mod 2^32, step div 2^32)
// with `place` a position in the batch, or in a drawn tensor. Each purpose has its own key, so that switching one kind of
// draw on or off moves no other.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>
#include <vector>

namespace archwright::kernels {

using PhiloxBlock = std::array<uint32_t, 4>;

inline PhiloxBlock philox(PhiloxBlock counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t a = uint64_t{0xD2511F53} * counter[0];
    const uint64_t b = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(b >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(b),
               static_cast<uint32_t>(a >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

enum class Purpose : uint32_t { kCropAndFlip = 0, kCutout = 1, kPartners = 2, kShare = 3, kTensor = 4 };

// All draws of one step.
class StepDraws {
 public:
  StepDraws(uint32_t seed, uint64_t step) : seed_(seed), step_(step) {}

  PhiloxBlock block(Purpose purpose, uint32_t place) const {
    return philox({place, 0, static_cast<uint32_t>(step_), static_cast<uint32_t>(step_ >> 32)},
                  {seed_, static_cast<uint32_t>(purpose)});
  }

  // A permutation of 0 … count − 1: Fisher–Yates from the end, place i changing with one of 0 … i.
  std::vector<uint32_t> permutation(size_t count) const {
    std::vector<uint32_t> places(count);
    std::iota(places.begin(), places.end(), 0u);
    for (size_t i = count; i-- > 1;) {
      const auto place = static_cast<uint32_t>(i);
      std::swap(places[i], places[below(block(Purpose::kPartners, place)[0], place + 1)]);
    }
    return places;
  }

  // Beta(alpha, alpha), by one formula for every alpha > 0 (L. Devroye, "Random variate generation in
  // one line of code", WSC 1996): with u, v uniform, r = u^(1/alpha) and c = cos 2πv, it is
  // ½ + ½·sign(c) / √(1 + r / ((1 − r) c²)).
  double share(double alpha) const {
    const PhiloxBlock words = block(Purpose::kShare, 0);
    const double r = std::pow(openUniform(words[0]), 1 / alpha);
    const double c = std::cos(2 * 3.14159265358979323846 * openUniform(words[1]));
    const double half = 0.5 / std::sqrt(1 + r / ((1 - r) * c * c));
    return c < 0 ? 0.5 - half : 0.5 + half;
  }

  // Uniform over 0 … count − 1, up to a bias of count / 2^32.
  static uint32_t below(uint32_t word, uint32_t count) {
    return static_cast<uint32_t>((uint64_t{word} * count) >> 32);
  }

 private:
  // Uniform over (0, 1), neither end included.
  static double openUniform(uint32_t word) { return (word + 0.5) / 4294967296.0; }

  uint32_t seed_;
  uint64_t step_;
};

}  // namespace archwright::kernels
