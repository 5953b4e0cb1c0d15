#include "provider.h"

namespace archwright {
namespace {

struct CudaOptionsRelease {
  void operator()(OrtCUDAProviderOptionsV2* options) const {
    ort().ReleaseCUDAProviderOptions(options);
  }
};
struct TensorRTOptionsRelease {
  void operator()(OrtTensorRTProviderOptionsV2* options) const {
    ort().ReleaseTensorRTProviderOptions(options);
  }
};

struct OptionArrays {
  explicit OptionArrays(const StringPairs& options) {
    for (const auto& [key, value] : options) {
      keys.push_back(key.c_str());
      values.push_back(value.c_str());
    }
  }
  std::vector<const char*> keys;
  std::vector<const char*> values;
};

void appendCuda(OrtSessionOptions* session, const OptionArrays& options) {
  OrtCUDAProviderOptionsV2* raw = nullptr;
  check(ort().CreateCUDAProviderOptions(&raw));
  const std::unique_ptr<OrtCUDAProviderOptionsV2, CudaOptionsRelease> owner(raw);
  check(ort().UpdateCUDAProviderOptions(raw, options.keys.data(), options.values.data(),
                                        options.keys.size()));
  check(ort().SessionOptionsAppendExecutionProvider_CUDA_V2(session, raw));
}

void appendTensorRT(OrtSessionOptions* session, const OptionArrays& options) {
  OrtTensorRTProviderOptionsV2* raw = nullptr;
  check(ort().CreateTensorRTProviderOptions(&raw));
  const std::unique_ptr<OrtTensorRTProviderOptionsV2, TensorRTOptionsRelease> owner(raw);
  check(ort().UpdateTensorRTProviderOptions(raw, options.keys.data(), options.values.data(),
                                            options.keys.size()));
  check(ort().SessionOptionsAppendExecutionProvider_TensorRT_V2(session, raw));
}

}  // namespace

void appendProvider(OrtSessionOptions* session, const std::string& name,
                    const StringPairs& options) {
  const OptionArrays arrays(options);
  if (name == "CUDA") return appendCuda(session, arrays);
  if (name == "TensorRT") {
    appendTensorRT(session, arrays);
    StringPairs sameGpu;
    for (const auto& option : options) {
      if (option.first == "device_id") sameGpu.push_back(option);
    }
    return appendCuda(session, OptionArrays(sameGpu));
  }
  check(ort().SessionOptionsAppendExecutionProvider(session, name.c_str(), arrays.keys.data(),
                                                    arrays.values.data(), arrays.keys.size()));
}

}  // namespace archwright
