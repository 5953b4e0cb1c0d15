// The structure by which ONNX Runtime learns of a custom operator, up to interface version 16 (the
// first with kernels that report errors instead of throwing). A later library reads no further than
// `version` says.
#pragma once

#include "ort_abi.h"

struct OrtCustomOp {
  uint32_t version;
  void*(ORT_CALL* createKernel)(const OrtCustomOp*, const void* api, const OrtKernelInfo*);
  const char*(ORT_CALL* getName)(const OrtCustomOp*);
  const char*(ORT_CALL* getExecutionProviderType)(const OrtCustomOp*);
  int(ORT_CALL* getInputType)(const OrtCustomOp*, size_t index);
  size_t(ORT_CALL* getInputTypeCount)(const OrtCustomOp*);
  int(ORT_CALL* getOutputType)(const OrtCustomOp*, size_t index);
  size_t(ORT_CALL* getOutputTypeCount)(const OrtCustomOp*);
  void(ORT_CALL* kernelCompute)(void* kernel, OrtKernelContext*);
  void(ORT_CALL* kernelDestroy)(void* kernel);
  int(ORT_CALL* getInputCharacteristic)(const OrtCustomOp*, size_t index);
  int(ORT_CALL* getOutputCharacteristic)(const OrtCustomOp*, size_t index);
  int(ORT_CALL* getInputMemoryType)(const OrtCustomOp*, size_t index);
  int(ORT_CALL* getVariadicInputMinArity)(const OrtCustomOp*);
  int(ORT_CALL* getVariadicInputHomogeneity)(const OrtCustomOp*);
  int(ORT_CALL* getVariadicOutputMinArity)(const OrtCustomOp*);
  int(ORT_CALL* getVariadicOutputHomogeneity)(const OrtCustomOp*);
  OrtStatus*(ORT_CALL* createKernelV2)(const OrtCustomOp*, const void* api, const OrtKernelInfo*,
                                       void** kernel);
  OrtStatus*(ORT_CALL* kernelComputeV2)(void* kernel, OrtKernelContext*);
};

namespace archwright {
constexpr uint32_t kCustomOpVersion = 16;
constexpr int kRequired = 0;
constexpr int kOptional = 1;
constexpr int kVariadic = 2;
}  // namespace archwright
