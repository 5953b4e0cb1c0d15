#include "ort.h"

#include <cstring>
#include <stdexcept>

#ifdef _WIN32
#include <windows.h>
#endif

namespace archwright {

void check(OrtStatus* status) {
  if (status == nullptr) return;
  const std::string message = ort().GetErrorMessage(status);
  ort().ReleaseStatus(status);
  throw std::runtime_error(message);
}

std::vector<std::string> availableProviders() {
  char** names = nullptr;
  int count = 0;
  check(ort().GetAvailableProviders(&names, &count));
  std::vector<std::string> result(names, names + count);
  check(ort().ReleaseAvailableProviders(names, count));
  return result;
}

MemoryInfoPtr createCpuMemoryInfo() {
  OrtMemoryInfo* memory = nullptr;
  check(ort().CreateCpuMemoryInfo(kOrtArenaAllocator, kOrtMemTypeDefault, &memory));
  return MemoryInfoPtr(memory);
}

bool isDeviceMemory(const OrtMemoryInfo* memory) {
  int type = kOrtDeviceTypeCpu;
  ort().MemoryInfoGetDeviceType(memory, &type);
  return type != kOrtDeviceTypeCpu;
}

std::basic_string<OrtPathChar> toPath(const std::string& utf8) {
#ifdef _WIN32
  const int length = MultiByteToWideChar(CP_UTF8, 0, utf8.data(), static_cast<int>(utf8.size()),
                                         nullptr, 0);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, utf8.data(), static_cast<int>(utf8.size()), wide.data(), length);
  return wide;
#else
  return utf8;
#endif
}

ValuePtr createTensor(ElementType type, const Dims& dims, OrtAllocator* allocator) {
  // The default allocator is owned by ONNX Runtime.
  if (allocator == nullptr) check(ort().GetAllocatorWithDefaultOptions(&allocator));
  OrtValue* value = nullptr;
  check(ort().CreateTensorAsOrtValue(allocator, dims.data(), dims.size(), type, &value));
  return ValuePtr(value);
}

ValuePtr copyTensor(const BorrowedTensor& tensor) {
  ValuePtr value = createTensor(tensor.type, tensor.dims);
  if (tensor.bytes > 0) std::memcpy(tensorData(value.get()), tensor.data, tensor.bytes);
  return value;
}

ValuePtr wrapTensor(const BorrowedTensor& tensor, const OrtMemoryInfo* memory) {
  static char nothing;  // an empty JavaScript array has no address
  OrtValue* value = nullptr;
  check(ort().CreateTensorWithDataAsOrtValue(
      memory, tensor.data == nullptr ? &nothing : tensor.data, tensor.bytes, tensor.dims.data(),
      tensor.dims.size(), tensor.type, &value));
  return ValuePtr(value);
}

TensorInfo readTensorInfo(const OrtTensorTypeAndShapeInfo* info) {
  int type = 0;
  check(ort().GetTensorElementType(info, &type));
  size_t rank = 0;
  check(ort().GetDimensionsCount(info, &rank));
  Dims dims(rank);
  check(ort().GetDimensions(info, dims.data(), rank));
  return {static_cast<ElementType>(type), std::move(dims)};
}

TensorInfo tensorInfo(const OrtValue* value) {
  int isTensor = 0;
  check(ort().IsTensor(value, &isTensor));
  if (isTensor == 0) throw std::runtime_error("expected a tensor as output, received another kind");
  OrtTensorTypeAndShapeInfo* info = nullptr;
  check(ort().GetTensorTypeAndShape(value, &info));
  const TensorTypeAndShapeInfoPtr owner(info);
  return readTensorInfo(info);
}

IoBindingPtr createBinding(OrtSession* session) {
  OrtIoBinding* binding = nullptr;
  check(ort().CreateIoBinding(session, &binding));
  return IoBindingPtr(binding);
}

}  // namespace archwright
