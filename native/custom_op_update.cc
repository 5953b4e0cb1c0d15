// The loss, the norm of gradients, and the updates of weights.
#include "cpu/cross_entropy.h"
#include "cpu/optimizer.h"
#include "custom_op.h"

namespace archwright {
namespace {

struct TrainingCrossEntropy {
  static constexpr const char* name = "TrainingCrossEntropy";
  static inline const std::vector<int> inputs{kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32, kFloat32};
  static constexpr size_t requiredInputs = 2;

  explicit TrainingCrossEntropy(const Attributes&) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims logits = call.dims(0);
    kernels::crossEntropy(
        logits[0], logits[1],
        {call.input(0), call.input(1), call.output(0, {}), call.output(1, logits)}, parallel);
  }
};

// Calls visit(gradient, first element of the state that it belongs to, elements) for each input from
// `first` on.
template <class Visit>
void forEachGradient(const Call& call, size_t first, Visit visit) {
  int64_t place = 0;
  const size_t end = call.inputCount();
  for (size_t i = first; i < end; ++i) {
    const int64_t count = countFrom(call.dims(i), 0);
    visit(call.input(i), place, count);
    place += count;
  }
}

struct SumOfSquares {
  static constexpr const char* name = "SumOfSquares";
  static inline const std::vector<int> inputs{kFloat32};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 1;
  static constexpr bool variadic = true;

  explicit SumOfSquares(const Attributes&) {}
  void compute(const Call& call, const Parallel& parallel) const {
    double sum = 0;
    forEachGradient(call, 0, [&](const float* gradient, int64_t, int64_t count) {
      sum += kernels::sumOfSquares(count, gradient, parallel);
    });
    *call.output(0, {}) = static_cast<float>(sum);
  }
};

struct SgdUpdate {
  static constexpr const char* name = "SgdUpdate";
  static inline const std::vector<int> inputs{kFloat32, kFloat32, kFloat32, kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32, kFloat32};
  static constexpr size_t requiredInputs = 5;
  static constexpr bool variadic = true;

  explicit SgdUpdate(const Attributes& a)
      : momentum(a.number("momentum")), decay(a.number("decay")), nesterov(a.integer("nesterov") != 0) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims dims = call.dims(0);
    const float *weights = call.input(0), *velocity = call.input(1);
    float *nextWeights = call.output(0, dims), *nextVelocity = call.output(1, dims);
    const float factor = *call.input(2), rate = *call.input(3);
    forEachGradient(call, 4, [&](const float* gradient, int64_t at, int64_t count) {
      kernels::sgdStep(count,
                       {weights + at, gradient, velocity + at, nextWeights + at, nextVelocity + at,
                        factor, rate, momentum, decay, nesterov},
                       parallel);
    });
  }
  float momentum, decay;
  bool nesterov;
};

struct AdamwUpdate {
  static constexpr const char* name = "AdamwUpdate";
  static inline const std::vector<int> inputs{kFloat32, kFloat32, kFloat32, kFloat32,
                                              kFloat32, kFloat32, kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32, kFloat32, kFloat32};
  static constexpr size_t requiredInputs = 8;
  static constexpr bool variadic = true;

  explicit AdamwUpdate(const Attributes& a)
      : beta1(a.number("beta1")), beta2(a.number("beta2")), epsilon(a.number("epsilon")) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims dims = call.dims(0);
    const float *weights = call.input(0), *mean = call.input(1), *square = call.input(2);
    float *nextWeights = call.output(0, dims), *nextMean = call.output(1, dims);
    float* nextSquare = call.output(2, dims);
    const float factor = *call.input(3), keep = *call.input(4);
    const float size = *call.input(5), correction = *call.input(6);
    forEachGradient(call, 7, [&](const float* gradient, int64_t at, int64_t count) {
      kernels::adamwStep(count,
                         {weights + at, gradient, mean + at, square + at, nextWeights + at,
                          nextMean + at, nextSquare + at, factor, keep, size, correction, beta1,
                          beta2, epsilon},
                         parallel);
    });
  }
  float beta1, beta2, epsilon;
};

}  // namespace

std::vector<Registration> updateOps(int threads) {
  return {registration<TrainingCrossEntropy>(threads),
          registration<SumOfSquares>(threads),
          registration<SgdUpdate>(threads),
          registration<AdamwUpdate>(threads)};
}

}  // namespace archwright
