// The part of ONNX Runtime's C interface that this addon calls.
//
// `OrtApi` is a table of function pointers that only ever grows at its end, so a slot number holds
// for every later release. Each line below names one function with its slot; nothing else of
// ONNX Runtime's headers is needed.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef _WIN32
#define ORT_CALL __stdcall
#else
#define ORT_CALL
#endif

struct OrtAllocator;
struct OrtCUDAProviderOptionsV2;
struct OrtCustomOp;
struct OrtCustomOpDomain;
struct OrtEnv;
struct OrtIoBinding;
struct OrtKernelContext;
struct OrtKernelInfo;
struct OrtKeyValuePairs;
struct OrtMemoryInfo;
struct OrtRunOptions;
struct OrtSession;
struct OrtSessionOptions;
struct OrtStatus;
struct OrtTensorRTProviderOptionsV2;
struct OrtTensorTypeAndShapeInfo;
struct OrtTypeInfo;
struct OrtValue;

namespace archwright {

// Characters of the paths that ONNX Runtime takes.
#ifdef _WIN32
using OrtPathChar = wchar_t;
#else
using OrtPathChar = char;
#endif

using OrtAnyFunction = void(ORT_CALL*)();

// What `OrtGetApiBase`, the library's one exported symbol, returns.
struct OrtApiBase {
  const OrtAnyFunction*(ORT_CALL* getApi)(uint32_t version);
  const char*(ORT_CALL* getVersionString)();
};

// First interface version that has every function below (those from slot 319 on came last).
constexpr uint32_t kOrtApiVersion = 23;

// Values of the C enumerations, as far as they are used.
constexpr int kOrtLoggingError = 3;
constexpr int kOrtArenaAllocator = 1;
constexpr int kOrtMemTypeDefault = 0;
constexpr int kOrtDeviceTypeCpu = 0;
constexpr int kOnnxTypeTensor = 1;

// clang-format off
// X(slot, result, name, parameters)
#define ARCHWRIGHT_ORT_FUNCTIONS(X)                                                                \
  X(0, OrtStatus*, CreateStatus, (int code, const char* message))                                  \
  X(2, const char*, GetErrorMessage, (const OrtStatus*))                                           \
  X(3, OrtStatus*, CreateEnv, (int level, const char* id, OrtEnv**))                               \
  X(8, OrtStatus*, CreateSessionFromArray, (const OrtEnv*, const void*, size_t, const OrtSessionOptions*, OrtSession**)) \
  X(9, OrtStatus*, Run, (OrtSession*, const OrtRunOptions*, const char* const*, const OrtValue* const*, size_t, const char* const*, size_t, OrtValue**)) \
  X(10, OrtStatus*, CreateSessionOptions, (OrtSessionOptions**))                                   \
  X(11, OrtStatus*, SetOptimizedModelFilePath, (OrtSessionOptions*, const OrtPathChar*))             \
  X(14, OrtStatus*, EnableProfiling, (OrtSessionOptions*, const OrtPathChar* prefix))              \
  X(17, OrtStatus*, DisableMemPattern, (OrtSessionOptions*))                                       \
  X(19, OrtStatus*, DisableCpuMemArena, (OrtSessionOptions*))                                      \
  X(23, OrtStatus*, SetSessionGraphOptimizationLevel, (OrtSessionOptions*, int))                   \
  X(24, OrtStatus*, SetIntraOpNumThreads, (OrtSessionOptions*, int))                               \
  X(25, OrtStatus*, SetInterOpNumThreads, (OrtSessionOptions*, int))                               \
  X(26, OrtStatus*, CreateCustomOpDomain, (const char*, OrtCustomOpDomain**))                      \
  X(27, OrtStatus*, CustomOpDomain_Add, (OrtCustomOpDomain*, const OrtCustomOp*))                  \
  X(28, OrtStatus*, AddCustomOpDomain, (OrtSessionOptions*, OrtCustomOpDomain*))                   \
  X(30, OrtStatus*, SessionGetInputCount, (const OrtSession*, size_t*))                            \
  X(31, OrtStatus*, SessionGetOutputCount, (const OrtSession*, size_t*))                           \
  X(33, OrtStatus*, SessionGetInputTypeInfo, (const OrtSession*, size_t, OrtTypeInfo**))           \
  X(34, OrtStatus*, SessionGetOutputTypeInfo, (const OrtSession*, size_t, OrtTypeInfo**))          \
  X(36, OrtStatus*, SessionGetInputName, (const OrtSession*, size_t, OrtAllocator*, char**))       \
  X(37, OrtStatus*, SessionGetOutputName, (const OrtSession*, size_t, OrtAllocator*, char**))      \
  X(48, OrtStatus*, CreateTensorAsOrtValue, (OrtAllocator*, const int64_t*, size_t, int type, OrtValue**)) \
  X(49, OrtStatus*, CreateTensorWithDataAsOrtValue, (const OrtMemoryInfo*, void*, size_t bytes, const int64_t*, size_t, int type, OrtValue**)) \
  X(50, OrtStatus*, IsTensor, (const OrtValue*, int*))                                             \
  X(51, OrtStatus*, GetTensorMutableData, (OrtValue*, void**))                                     \
  X(55, OrtStatus*, CastTypeInfoToTensorInfo, (const OrtTypeInfo*, const OrtTensorTypeAndShapeInfo**)) \
  X(56, OrtStatus*, GetOnnxTypeFromTypeInfo, (const OrtTypeInfo*, int*))                           \
  X(60, OrtStatus*, GetTensorElementType, (const OrtTensorTypeAndShapeInfo*, int*))                \
  X(61, OrtStatus*, GetDimensionsCount, (const OrtTensorTypeAndShapeInfo*, size_t*))               \
  X(62, OrtStatus*, GetDimensions, (const OrtTensorTypeAndShapeInfo*, int64_t*, size_t))           \
  X(65, OrtStatus*, GetTensorTypeAndShape, (const OrtValue*, OrtTensorTypeAndShapeInfo**))         \
  X(69, OrtStatus*, CreateCpuMemoryInfo, (int allocator, int memory, OrtMemoryInfo**))             \
  X(71, OrtStatus*, MemoryInfoGetName, (const OrtMemoryInfo*, const char**))                       \
  X(76, OrtStatus*, AllocatorFree, (OrtAllocator*, void*))                                         \
  X(78, OrtStatus*, GetAllocatorWithDefaultOptions, (OrtAllocator**))                              \
  X(85, OrtStatus*, KernelInfoGetAttribute_float, (const OrtKernelInfo*, const char*, float*))     \
  X(86, OrtStatus*, KernelInfoGetAttribute_int64, (const OrtKernelInfo*, const char*, int64_t*))   \
  X(88, OrtStatus*, KernelContext_GetInputCount, (const OrtKernelContext*, size_t*))              \
  X(90, OrtStatus*, KernelContext_GetInput, (const OrtKernelContext*, size_t, const OrtValue**))   \
  X(91, OrtStatus*, KernelContext_GetOutput, (OrtKernelContext*, size_t, const int64_t*, size_t, OrtValue**)) \
  X(93, void, ReleaseStatus, (OrtStatus*))                                                         \
  X(94, void, ReleaseMemoryInfo, (OrtMemoryInfo*))                                                 \
  X(95, void, ReleaseSession, (OrtSession*))                                                       \
  X(96, void, ReleaseValue, (OrtValue*))                                                           \
  X(98, void, ReleaseTypeInfo, (OrtTypeInfo*))                                                     \
  X(99, void, ReleaseTensorTypeAndShapeInfo, (OrtTensorTypeAndShapeInfo*))                         \
  X(100, void, ReleaseSessionOptions, (OrtSessionOptions*))                                        \
  X(101, void, ReleaseCustomOpDomain, (OrtCustomOpDomain*))                                        \
  X(110, OrtStatus*, SessionEndProfiling, (OrtSession*, OrtAllocator*, char**))                    \
  X(125, OrtStatus*, GetAvailableProviders, (char***, int*))                                       \
  X(126, OrtStatus*, ReleaseAvailableProviders, (char**, int))                                     \
  X(130, OrtStatus*, AddSessionConfigEntry, (OrtSessionOptions*, const char*, const char*))        \
  X(131, OrtStatus*, CreateAllocator, (const OrtSession*, const OrtMemoryInfo*, OrtAllocator**))   \
  X(132, void, ReleaseAllocator, (OrtAllocator*))                                                  \
  X(133, OrtStatus*, RunWithBinding, (OrtSession*, const OrtRunOptions*, const OrtIoBinding*))     \
  X(134, OrtStatus*, CreateIoBinding, (OrtSession*, OrtIoBinding**))                               \
  X(135, void, ReleaseIoBinding, (OrtIoBinding*))                                                  \
  X(136, OrtStatus*, BindInput, (OrtIoBinding*, const char*, const OrtValue*))                     \
  X(137, OrtStatus*, BindOutput, (OrtIoBinding*, const char*, const OrtValue*))                    \
  X(163, OrtStatus*, KernelInfoGetAttributeArray_int64, (const OrtKernelInfo*, const char*, int64_t*, size_t*)) \
  X(170, OrtStatus*, SessionOptionsAppendExecutionProvider_TensorRT_V2, (OrtSessionOptions*, const OrtTensorRTProviderOptionsV2*)) \
  X(171, OrtStatus*, CreateTensorRTProviderOptions, (OrtTensorRTProviderOptionsV2**))              \
  X(172, OrtStatus*, UpdateTensorRTProviderOptions, (OrtTensorRTProviderOptionsV2*, const char* const*, const char* const*, size_t)) \
  X(174, void, ReleaseTensorRTProviderOptions, (OrtTensorRTProviderOptionsV2*))                    \
  X(203, OrtStatus*, SynchronizeBoundOutputs, (OrtIoBinding*))                                     \
  X(204, OrtStatus*, SessionOptionsAppendExecutionProvider_CUDA_V2, (OrtSessionOptions*, const OrtCUDAProviderOptionsV2*)) \
  X(205, OrtStatus*, CreateCUDAProviderOptions, (OrtCUDAProviderOptionsV2**))                      \
  X(206, OrtStatus*, UpdateCUDAProviderOptions, (OrtCUDAProviderOptionsV2*, const char* const*, const char* const*, size_t)) \
  X(208, void, ReleaseCUDAProviderOptions, (OrtCUDAProviderOptionsV2*))                            \
  X(216, OrtStatus*, SessionOptionsAppendExecutionProvider, (OrtSessionOptions*, const char*, const char* const*, const char* const*, size_t)) \
  X(225, void, MemoryInfoGetDeviceType, (const OrtMemoryInfo*, int*))                              \
  X(274, OrtStatus*, KernelContext_ParallelFor, (const OrtKernelContext*, void (*task)(void*, size_t), size_t count, size_t batches, void* user)) \
  X(298, void, GetKeyValuePairs, (const OrtKeyValuePairs*, const char* const**, const char* const**, size_t*)) \
  X(300, void, ReleaseKeyValuePairs, (OrtKeyValuePairs*))                                          \
  X(319, OrtStatus*, AllocatorGetStats, (const OrtAllocator*, OrtKeyValuePairs**))                 \
  X(380, OrtStatus*, SessionGetMemoryInfoForInputs, (const OrtSession*, const OrtMemoryInfo**, size_t)) \
  X(381, OrtStatus*, SessionGetMemoryInfoForOutputs, (const OrtSession*, const OrtMemoryInfo**, size_t)) \
  X(386, OrtStatus*, CopyTensors, (const OrtEnv*, const OrtValue* const*, OrtValue* const*, void* stream, size_t))
// clang-format on

struct OrtFunctions {
#define ARCHWRIGHT_DECLARE(slot, result, name, parameters) result(ORT_CALL* name) parameters;
  ARCHWRIGHT_ORT_FUNCTIONS(ARCHWRIGHT_DECLARE)
#undef ARCHWRIGHT_DECLARE
};

inline OrtFunctions readOrtFunctions(const OrtAnyFunction* slots) {
  OrtFunctions functions{};
#define ARCHWRIGHT_READ(slot, result, name, parameters) \
  functions.name = reinterpret_cast<result(ORT_CALL*) parameters>(slots[slot]);
  ARCHWRIGHT_ORT_FUNCTIONS(ARCHWRIGHT_READ)
#undef ARCHWRIGHT_READ
  return functions;
}

}  // namespace archwright
