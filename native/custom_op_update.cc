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

struct SumOfSquares {
  static constexpr const char* name = "SumOfSquares";
  static inline const std::vector<int> inputs{kFloat32};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 1;

  explicit SumOfSquares(const Attributes&) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const double sum = kernels::sumOfSquares(countFrom(call.dims(0), 0), call.input(0), parallel);
    *call.output(0, {}) = static_cast<float>(sum);
  }
};

struct SgdUpdate {
  static constexpr const char* name = "SgdUpdate";
  static inline const std::vector<int> inputs{kFloat32, kFloat32, kFloat32, kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32, kFloat32};
  static constexpr size_t requiredInputs = 5;

  explicit SgdUpdate(const Attributes& a)
      : momentum(a.number("momentum")), decay(a.number("decay")), nesterov(a.integer("nesterov") != 0) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims dims = call.dims(0);
    kernels::sgdStep(countFrom(dims, 0),
                     {call.input(0), call.input(1), call.input(2), call.output(0, dims),
                      call.output(1, dims), *call.input(3), *call.input(4), momentum, decay,
                      nesterov},
                     parallel);
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

  explicit AdamwUpdate(const Attributes& a)
      : beta1(a.number("beta1")), beta2(a.number("beta2")), epsilon(a.number("epsilon")) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims dims = call.dims(0);
    kernels::adamwStep(countFrom(dims, 0),
                       {call.input(0), call.input(1), call.input(2), call.input(3),
                        call.output(0, dims), call.output(1, dims), call.output(2, dims),
                        *call.input(4), *call.input(5), *call.input(6), *call.input(7), beta1,
                        beta2, epsilon},
                       parallel);
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
