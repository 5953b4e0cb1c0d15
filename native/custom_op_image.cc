// Convolutions, batch norm, pooling, activations of images.
#include "cpu/activation.h"
#include "cpu/batch_norm.h"
#include "cpu/conv.h"
#include "cpu/pool_grad.h"
#include "custom_op.h"

namespace archwright {
namespace {

using kernels::ConvShape;

// Geometry that does not depend on the batch.
struct ConvAttributes {
  explicit ConvAttributes(const Attributes& a)
      : pads(a.ints("pads")),
        strides(a.ints("strides")),
        dilations(a.ints("dilations")),
        group(a.integer("group")) {}

  ConvShape shape(const Dims& x, const Dims& w, const Dims& y) const {
    return {x[0],       group,      x[1],         x[2],         x[3],    y[1],   y[2], y[3], w[2],
            w[3],       strides[0], strides[1],   dilations[0], dilations[1], pads[0], pads[1]};
  }
  Dims outputDims(const Dims& x, const Dims& w) const {
    const auto size = [&](size_t axis) {
      const int64_t reach = (w[2 + axis] - 1) * dilations[axis] + 1;
      return (x[2 + axis] + pads[axis] + pads[2 + axis] - reach) / strides[axis] + 1;
    };
    return {x[0], w[0], size(0), size(1)};
  }

  Dims pads, strides, dilations;
  int64_t group;
};

struct TrainingConv {
  static constexpr const char* name = "TrainingConv";
  static inline const std::vector<int> inputs{kFloat32, kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 2;

  explicit TrainingConv(const Attributes& a) : conv(a) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims x = call.dims(0), w = call.dims(1), y = conv.outputDims(x, w);
    kernels::convForward(conv.shape(x, w, y), call.input(0), call.input(1), call.input(2),
                         call.output(0, y), parallel);
  }
  ConvAttributes conv;
};

struct ConvInputGrad {
  static constexpr const char* name = "ConvInputGrad";
  static inline const std::vector<int> inputs{kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 2;

  explicit ConvInputGrad(const Attributes& a) : conv(a), spatial(a.ints("spatial_shape")) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims y = call.dims(0), w = call.dims(1);
    const Dims x{y[0], w[1] * conv.group, spatial[0], spatial[1]};
    kernels::convInputGrad(conv.shape(x, w, y), call.input(0), call.input(1), call.output(0, x),
                           parallel);
  }
  ConvAttributes conv;
  Dims spatial;
};

struct ConvWeightGrad {
  static constexpr const char* name = "ConvWeightGrad";
  static inline const std::vector<int> inputs{kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 2;

  explicit ConvWeightGrad(const Attributes& a) : conv(a), kernel(a.ints("kernel_shape")) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims y = call.dims(0), x = call.dims(1);
    const Dims w{y[1], x[1] / conv.group, kernel[0], kernel[1]};
    kernels::convWeightGrad(conv.shape(x, w, y), call.input(1), call.input(0), call.output(0, w),
                            parallel);
  }
  ConvAttributes conv;
  Dims kernel;
};

struct TrainingBatchNorm {
  static constexpr const char* name = "TrainingBatchNorm";
  static inline const std::vector<int> inputs{kFloat32, kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32, kFloat32, kFloat32, kFloat32};
  static constexpr size_t requiredInputs = 3;

  explicit TrainingBatchNorm(const Attributes& a) : epsilon(a.number("epsilon")) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims x = call.dims(0), channels{x[1]};
    kernels::batchNormForward(
        {x[0], x[1], planeOf(x)},
        {call.input(0), call.input(1), call.input(2), call.output(0, x), call.output(1, channels),
         call.output(2, channels), call.output(3, channels), epsilon},
        parallel);
  }
  float epsilon;
};

struct BatchNormGrad {
  static constexpr const char* name = "BatchNormGrad";
  static inline const std::vector<int> inputs{kFloat32, kFloat32, kFloat32, kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32, kFloat32, kFloat32};
  static constexpr size_t requiredInputs = 5;

  explicit BatchNormGrad(const Attributes&) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims x = call.dims(1), channels{x[1]};
    kernels::batchNormBackward({x[0], x[1], planeOf(x)},
                               {call.input(0), call.input(1), call.input(2), call.input(3),
                                call.input(4), call.output(0, x), call.output(1, channels),
                                call.output(2, channels)},
                               parallel);
  }
};

struct MaxPoolGrad {
  static constexpr const char* name = "MaxPoolGrad";
  static inline const std::vector<int> inputs{kFloat32, kInt64};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 2;

  explicit MaxPoolGrad(const Attributes& a) : spatial(a.ints("spatial_shape")) {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims y = call.dims(0);
    Dims x{y[0], y[1]};
    x.insert(x.end(), spatial.begin(), spatial.end());
    kernels::maxPoolGrad(y[0] * y[1], planeOf(x), planeOf(y), call.input(0),
                         call.input<int64_t>(1), call.output(0, x), parallel);
  }
  Dims spatial;
};

struct ActivationGrad {
  static constexpr const char* name = "ActivationGrad";
  static inline const std::vector<int> inputs{kFloat32, kFloat32};
  static inline const std::vector<int> outputs{kFloat32};
  static constexpr size_t requiredInputs = 2;

  explicit ActivationGrad(const Attributes& a)
      : slope{a.number("low"), a.number("high"), a.number("slope"), a.integer("ramp") != 0} {}
  void compute(const Call& call, const Parallel& parallel) const {
    const Dims x = call.dims(1);
    kernels::activationGrad(slope, countFrom(x, 0), call.input(0), call.input(1), call.output(0, x),
                            parallel);
  }
  kernels::ActivationSlope slope;
};

}  // namespace

std::vector<Registration> imageOps(int threads) {
  return {registration<TrainingConv>(threads),
          registration<ConvInputGrad>(threads),
          registration<ConvWeightGrad>(threads),
          registration<TrainingBatchNorm>(threads),
          registration<BatchNormGrad>(threads),
          registration<MaxPoolGrad>(threads),
          registration<ActivationGrad>(threads)};
}

}  // namespace archwright
