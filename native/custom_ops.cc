#include "custom_ops.h"

#include <stdexcept>
#include <utility>

#include "cpu/activation.h"
#include "cpu/attention.h"
#include "cpu/batch_norm.h"
#include "cpu/conv.h"
#include "cpu/cross_entropy.h"
#include "cpu/draw_tensor.h"
#include "cpu/layer_norm.h"
#include "cpu/optimizer.h"
#include "cpu/pool_grad.h"
#include "custom_op_abi.h"

namespace archwright {
namespace {

using kernels::ConvShape;
using kernels::Parallel;

constexpr int kGeneralError = 1;

OrtStatus* failure(const std::exception& error) {
  return ort().CreateStatus(kGeneralError, error.what());
}

// What a kernel reads once, when the session is created.
class Attributes {
 public:
  explicit Attributes(const OrtKernelInfo* info) : info_(info) {}

  std::vector<int64_t> ints(const char* name) const {
    size_t size = 0;
    check(ort().KernelInfoGetAttributeArray_int64(info_, name, nullptr, &size));
    std::vector<int64_t> values(size);
    check(ort().KernelInfoGetAttributeArray_int64(info_, name, values.data(), &size));
    return values;
  }
  int64_t integer(const char* name) const {
    int64_t value = 0;
    check(ort().KernelInfoGetAttribute_int64(info_, name, &value));
    return value;
  }
  float number(const char* name) const {
    float value = 0;
    check(ort().KernelInfoGetAttribute_float(info_, name, &value));
    return value;
  }

 private:
  const OrtKernelInfo* info_;
};

// The tensors of one call.
class Call {
 public:
  explicit Call(OrtKernelContext* context) : context_(context) {}

  template <class T = float>
  const T* input(size_t index) const {
    const OrtValue* value = inputValue(index);
    return value == nullptr ? nullptr : tensorData<T>(const_cast<OrtValue*>(value));
  }
  Dims dims(size_t index) const { return tensorInfo(inputValue(index)).dims; }

  float* output(size_t index, const Dims& dims) const {
    OrtValue* value = nullptr;
    check(ort().KernelContext_GetOutput(context_, index, dims.data(), dims.size(), &value));
    return tensorData<float>(value);
  }

  // Tasks run on the session's own intra-op threads.
  Parallel parallel(int threads) const {
    OrtKernelContext* context = context_;
    return {static_cast<size_t>(threads),
            [context](size_t count, const std::function<void(size_t)>& task) {
              if (count == 1) return task(0);
              auto* user = const_cast<void*>(static_cast<const void*>(&task));
              check(ort().KernelContext_ParallelFor(
                  context,
                  [](void* data, size_t i) {
                    (*static_cast<const std::function<void(size_t)>*>(data))(i);
                  },
                  count, 0, user));
            }};
  }

 private:
  const OrtValue* inputValue(size_t index) const {
    const OrtValue* value = nullptr;
    check(ort().KernelContext_GetInput(context_, index, &value));
    return value;
  }

  OrtKernelContext* context_;
};

int64_t countFrom(const Dims& dims, size_t axis) {
  int64_t count = 1;
  for (size_t i = axis; i < dims.size(); ++i) count *= dims[i];
  return count;
}

int64_t planeOf(const Dims& dims) { return countFrom(dims, 2); }

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

// Each operator below: its name, element types, and a kernel (attributes → object, call → void).
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

// An operator's registration; the base is what ONNX Runtime sees, `threads` rides behind it.
struct Registration : OrtCustomOp {
  int threads;
};

template <class Op>
struct Kernel {
  Op op;
  int threads;
};

template <class Op>
Registration registration(int threads) {
  Registration r{};
  r.version = kCustomOpVersion;
  r.threads = threads;
  r.getName = [](const OrtCustomOp*) { return Op::name; };
  r.getExecutionProviderType = [](const OrtCustomOp*) -> const char* { return nullptr; };
  r.getInputType = [](const OrtCustomOp*, size_t i) { return Op::inputs[i]; };
  r.getInputTypeCount = [](const OrtCustomOp*) { return Op::inputs.size(); };
  r.getOutputType = [](const OrtCustomOp*, size_t i) { return Op::outputs[i]; };
  r.getOutputTypeCount = [](const OrtCustomOp*) { return Op::outputs.size(); };
  r.getInputCharacteristic = [](const OrtCustomOp*, size_t i) {
    return i < Op::requiredInputs ? kRequired : kOptional;
  };
  r.getOutputCharacteristic = [](const OrtCustomOp*, size_t) { return kRequired; };
  r.getInputMemoryType = [](const OrtCustomOp*, size_t) { return kOrtMemTypeDefault; };
  r.getVariadicInputMinArity = [](const OrtCustomOp*) { return 1; };
  r.getVariadicInputHomogeneity = [](const OrtCustomOp*) { return 1; };
  r.getVariadicOutputMinArity = [](const OrtCustomOp*) { return 1; };
  r.getVariadicOutputHomogeneity = [](const OrtCustomOp*) { return 1; };
  r.createKernelV2 = [](const OrtCustomOp* op, const void*, const OrtKernelInfo* info,
                        void** kernel) -> OrtStatus* {
    try {
      *kernel = new Kernel<Op>{Op(Attributes(info)), static_cast<const Registration*>(op)->threads};
      return nullptr;
    } catch (const std::exception& error) {
      return failure(error);
    }
  };
  r.kernelComputeV2 = [](void* kernel, OrtKernelContext* context) -> OrtStatus* {
    try {
      const auto* self = static_cast<const Kernel<Op>*>(kernel);
      const Call call(context);
      self->op.compute(call, call.parallel(self->threads));
      return nullptr;
    } catch (const std::exception& error) {
      return failure(error);
    }
  };
  r.kernelDestroy = [](void* kernel) { delete static_cast<Kernel<Op>*>(kernel); };
  return r;
}

}  // namespace

struct CustomOps::State {
  explicit State(int threads)
      : operators{registration<TrainingConv>(threads),      registration<ConvInputGrad>(threads),
                  registration<ConvWeightGrad>(threads),    registration<TrainingBatchNorm>(threads),
                  registration<BatchNormGrad>(threads),     registration<MaxPoolGrad>(threads),
                  registration<ActivationGrad>(threads),    registration<TrainingGelu>(threads),
                  registration<TrainingSilu>(threads),      registration<GeluGrad>(threads),
                  registration<SiluGrad>(threads),          registration<LayerNormGrad>(threads),
                  registration<TrainingAttention>(threads), registration<AttentionGrad>(threads),
                  registration<TensorDraws>(threads),
                  registration<TrainingCrossEntropy>(threads), registration<SumOfSquares>(threads),
                  registration<SgdUpdate>(threads),         registration<AdamwUpdate>(threads)} {}
  ~State() {
    if (domain != nullptr) ort().ReleaseCustomOpDomain(domain);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::vector<Registration> operators;
  OrtCustomOpDomain* domain = nullptr;
};

CustomOps::CustomOps(OrtSessionOptions* options, int threads)
    : state_(std::make_unique<State>(threads)) {
  check(ort().CreateCustomOpDomain("archwright", &state_->domain));
  for (const Registration& op : state_->operators)
    check(ort().CustomOpDomain_Add(state_->domain, &op));
  check(ort().AddCustomOpDomain(options, state_->domain));
}

CustomOps::CustomOps(CustomOps&&) noexcept = default;
CustomOps& CustomOps::operator=(CustomOps&&) noexcept = default;
CustomOps::~CustomOps() = default;

}  // namespace archwright
