// Smooth activations, layer norm, attention, random draws.
#include "cpu/activation.h"
#include "cpu/attention.h"
#include "cpu/draw_tensor.h"
#include "cpu/layer_norm.h"
#include "custom_op.h"

namespace archwright {
namespace {

using Activation = void (*)(int64_t, const float*, float*, const Parallel&);
using ActivationSlopes = void (*)(int64_t, const float*, const float*, float*, const Parallel&);

template <Activation forward>
struct SmoothActivation {
  // The second is only waited for.
  static inline const std::vector<int> inputs{kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 1;

  explicit SmoothActivation(const Attributes&) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims x = call.dims(0);
    forward(countFrom(x, 0), call.input(0), call.output(0, x), parallel);
  }
};
struct TrainingGelu : SmoothActivation<kernels::geluForward> {
  static constexpr const char* name = "TrainingGelu";
  using SmoothActivation::SmoothActivation;
};
struct TrainingSilu : SmoothActivation<kernels::siluForward> {
  static constexpr const char* name = "TrainingSilu";
  using SmoothActivation::SmoothActivation;
};

template <ActivationSlopes backward>
struct SmoothActivationGrad {
  static inline const std::vector<int> inputs{kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 2;

  explicit SmoothActivationGrad(const Attributes&) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims x = call.dims(1);
    backward(countFrom(x, 0), call.input(0), call.input(1), call.output(0, x), parallel);
  }
};
struct GeluGrad : SmoothActivationGrad<kernels::geluBackward> {
  static constexpr const char* name = "GeluGrad";
  using SmoothActivationGrad::SmoothActivationGrad;
};
struct SiluGrad : SmoothActivationGrad<kernels::siluBackward> {
  static constexpr const char* name = "SiluGrad";
  using SmoothActivationGrad::SmoothActivationGrad;
};

struct LayerNormGrad {
  static constexpr const char* name = "LayerNormGrad";
  static inline const std::vector<int> inputs{kFloat32, kFloat32, kFloat32, kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32, kFloat32, kFloat32};
  static constexpr size_t requiredInputs = 5;

  explicit LayerNormGrad(const Attributes&) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims x = call.dims(1), scale = call.dims(2);
    const int64_t columns = countFrom(scale, 0);
    kernels::layerNormBackward(
        countFrom(x, 0) / columns, columns,
        {call.input(0), call.input(1), call.input(2), call.input(3), call.input(4),
         call.output(0, x), call.output(1, scale), call.output(2, scale)},
        parallel);
  }
};

kernels::AttentionShape attentionShape(const Dims& q, const Dims& v, float scale) {
  return {q[0], q[2], q[1], v[1], q[3], v[3], scale};
}

struct TrainingAttention {
  static constexpr const char* name = "TrainingAttention";
  static inline const std::vector<int> inputs{kFloat32, kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32, kFloat32};
  static constexpr size_t requiredInputs = 3;

  explicit TrainingAttention(const Attributes& a) : scale(a.number("scale")) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims q = call.dims(0), v = call.dims(2);
    kernels::attentionForward(attentionShape(q, v, scale),
                              {call.input(0), call.input(1), call.input(2),
                               call.output(0, {q[0], q[1], q[2], v[3]}),
                               call.output(1, {q[0], q[2], q[1]})},
                              parallel);
  }
  float scale;
};

struct AttentionGrad {
  static constexpr const char* name = "AttentionGrad";
  static inline const std::vector<int> inputs{kFloat32, kFloat32, kFloat32,
                                              kFloat32, kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32, kFloat32, kFloat32};
  static constexpr size_t requiredInputs = 6;

  explicit AttentionGrad(const Attributes& a) : scale(a.number("scale")) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims q = call.dims(1), k = call.dims(2), v = call.dims(3);
    kernels::attentionBackward(
        attentionShape(q, v, scale),
        {call.input(0), call.input(1), call.input(2), call.input(3), call.input(4), call.input(5),
         call.output(0, q), call.output(1, k), call.output(2, v)},
        parallel);
  }
  float scale;
};

struct TensorDraws {
  static constexpr const char* name = "TensorDraws";
  static inline const std::vector<int> inputs{kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 2;

  explicit TensorDraws(const Attributes& a)
      : draws{static_cast<uint32_t>(a.integer("seed")), a.integer("normal") != 0,
              a.number("offset"), a.number("scale")} {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims x = call.dims(0);
    int64_t count = 1;
    for (const int64_t d : x) count *= d;
    const auto run = static_cast<uint64_t>(call.input(1)[0]);
    kernels::drawTensor(draws, run, count, call.output(0, x), parallel);
  }
  kernels::DrawTensor draws;
};

}  // namespace

std::vector<Registration> sequenceOps(int threads) {
  return {registration<TrainingGelu>(threads),
          registration<TrainingSilu>(threads),
          registration<GeluGrad>(threads),
          registration<SiluGrad>(threads),
          registration<LayerNormGrad>(threads),
          registration<TrainingAttention>(threads),
          registration<AttentionGrad>(threads),
          registration<TensorDraws>(threads)};
}

}  // namespace archwright
