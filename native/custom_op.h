// What the operators of kernels/cpu need to be custom operators of ONNX Runtime.
#pragma once

#include <functional>
#include <stdexcept>
#include <type_traits>
#include <utility>
#include <vector>

#include "cpu/parallel.h"
#include "custom_op_abi.h"
#include "ort.h"

namespace archwright {

using kernels::Parallel;

constexpr int kGeneralError = 1;

inline OrtStatus* failure(const std::exception& error) {
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
  size_t inputCount() const {
    size_t count = 0;
    check(ort().KernelContext_GetInputCount(context_, &count));
    return count;
  }

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

inline int64_t countFrom(const Dims& dims, size_t axis) {
  int64_t count = 1;
  for (size_t i = axis; i < dims.size(); ++i) count *= dims[i];
  return count;
}

inline int64_t planeOf(const Dims& dims) { return countFrom(dims, 2); }

// An operator's registration; the base is what ONNX Runtime sees, `threads` rides behind it.
struct Registration : OrtCustomOp {
  int threads;
};

// Whether an operator has `variadic`: its last input may come any number of times.
template <class Op, class = void>
struct IsVariadic : std::false_type {};
template <class Op>
struct IsVariadic<Op, std::void_t<decltype(Op::variadic)>> : std::true_type {};

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
    if (IsVariadic<Op>::value && i + 1 == Op::inputs.size()) return kVariadic;
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

// One group of operators each, in a file of its own.
// An operator is a struct: name, element types, and a kernel (attributes → object, call → void).
std::vector<Registration> imageOps(int threads);
std::vector<Registration> sequenceOps(int threads);
std::vector<Registration> updateOps(int threads);

}  // namespace archwright
