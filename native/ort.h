// ONNX Runtime objects with owners, statuses as exceptions, and the few calls that everything uses.
// No N-API here: all of it may run on any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "process_state.h"

namespace archwright {

// Throws std::runtime_error with ONNX Runtime's message if `status` is an error, and frees it.
void check(OrtStatus* status);

#define ARCHWRIGHT_OWNER(Name)                                                   \
  struct Name##Release {                                                         \
    void operator()(Ort##Name* pointer) const { ort().Release##Name(pointer); } \
  };                                                                             \
  using Name##Ptr = std::unique_ptr<Ort##Name, Name##Release>;
ARCHWRIGHT_OWNER(Allocator)
ARCHWRIGHT_OWNER(IoBinding)
ARCHWRIGHT_OWNER(KeyValuePairs)
ARCHWRIGHT_OWNER(MemoryInfo)
ARCHWRIGHT_OWNER(Session)
ARCHWRIGHT_OWNER(SessionOptions)
ARCHWRIGHT_OWNER(TensorTypeAndShapeInfo)
ARCHWRIGHT_OWNER(TypeInfo)
ARCHWRIGHT_OWNER(Value)
#undef ARCHWRIGHT_OWNER

// Element types, numbered as in the ONNX specification (TensorProto.DataType).
enum ElementType : int {
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBfloat16 = 16,
};

using Dims = std::vector<int64_t>;

// Memory of someone else, alive as long as the call that it was handed to.
struct BorrowedTensor {
  std::string name;
  ElementType type;
  Dims dims;
  void* data;
  size_t bytes;
};

struct TensorInfo {
  ElementType type;
  Dims dims;
};

std::vector<std::string> availableProviders();

MemoryInfoPtr createCpuMemoryInfo();
// Whether this is elsewhere than in the host's memory.
bool isDeviceMemory(const OrtMemoryInfo* memory);
// A path as ONNX Runtime takes it, from UTF-8.
std::basic_string<OrtPathChar> toPath(const std::string& utf8);
// A new tensor in ONNX Runtime's aligned CPU memory, or where `allocator` takes it from; its contents
// are undefined.
ValuePtr createTensor(ElementType type, const Dims& dims, OrtAllocator* allocator = nullptr);
ValuePtr copyTensor(const BorrowedTensor& tensor);
// A tensor over the borrowed memory itself.
ValuePtr wrapTensor(const BorrowedTensor& tensor, const OrtMemoryInfo* memory);
TensorInfo tensorInfo(const OrtValue* value);
TensorInfo readTensorInfo(const OrtTensorTypeAndShapeInfo* info);
template <class T = void>
T* tensorData(OrtValue* value) {
  void* data = nullptr;
  check(ort().GetTensorMutableData(value, &data));
  return static_cast<T*>(data);
}

IoBindingPtr createBinding(OrtSession* session);
inline void bindInput(const IoBindingPtr& binding, const std::string& name, const ValuePtr& value) {
  check(ort().BindInput(binding.get(), name.c_str(), value.get()));
}
inline void bindOutput(const IoBindingPtr& binding, const std::string& name,
                       const ValuePtr& value) {
  check(ort().BindOutput(binding.get(), name.c_str(), value.get()));
}

}  // namespace archwright
