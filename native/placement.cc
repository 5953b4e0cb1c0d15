#include "placement.h"

#include <cstring>
#include <string>

namespace archwright {
namespace {

std::vector<const OrtMemoryInfo*> memoryInfos(
    const Session& session, size_t count,
    decltype(OrtFunctions::SessionGetMemoryInfoForInputs) getInfos) {
  std::vector<const OrtMemoryInfo*> infos(count);
  if (count > 0) check(getInfos(session.get(), infos.data(), count));
  return infos;
}

// Protocol buffers: a field with a number, and one with bytes (all shorter than 128).
std::string number(int field, int value) {
  return {static_cast<char>(field << 3), static_cast<char>(value)};
}
std::string bytes(int field, const std::string& value) {
  return std::string{static_cast<char>(field << 3 | 2), static_cast<char>(value.size())} + value;
}

// An ONNX file: y = Identity(x) of this element type and any shape.
std::string identityModel(ElementType type) {
  const auto port = [type](const char* name) {
    return bytes(1, name) + bytes(2, bytes(1, number(1, type)));
  };
  const std::string node = bytes(1, "x") + bytes(2, "y") + bytes(4, "Identity");
  const std::string graph =
      bytes(1, node) + bytes(2, "g") + bytes(11, port("x")) + bytes(12, port("y"));
  return number(1, 8) + bytes(7, graph) + bytes(8, number(2, 13));
}

}  // namespace

Device::Device(const Session& session)
    : inputs_(memoryInfos(session, session.inputs().size(), ort().SessionGetMemoryInfoForInputs)),
      outputs_(
          memoryInfos(session, session.outputs().size(), ort().SessionGetMemoryInfoForOutputs)) {
  for (const OrtMemoryInfo* memory : outputs_) {
    if (!isDeviceMemory(memory)) continue;
    allocator_ = session.createAllocator(memory);
    const char* name = nullptr;
    check(ort().MemoryInfoGetName(memory, &name));
    if (std::strncmp(name, "WebGPU", 6) == 0) {
      probe_ = createTensor(kFloat32, {}, allocator_.get());
      landing_ = createTensor(kFloat32, {});
    }
    break;
  }
}

ValuePtr Device::createOutput(size_t i, const TensorInfo& info) const {
  return keepsOutput(i) ? createTensor(info.type, info.dims, allocator_.get())
                        : createTensor(info.type, info.dims);
}

void Device::wait(OrtIoBinding* binding) const {
  check(ort().SynchronizeBoundOutputs(binding));
  if (probe_ == nullptr) return;
  const OrtValue* from = probe_.get();
  OrtValue* to = landing_.get();
  check(ort().CopyTensors(ortEnv(), &from, &to, nullptr, 1));
}

ValuePtr readBack(const Session& session, const OrtValue* value) {
  const TensorInfo info = tensorInfo(value);
  const std::string model = identityModel(info.type);
  SessionConfig config{};
  config.threads = 1;
  config.provider = session.config().provider;
  config.providerOptions = session.config().providerOptions;
  config.arena = true;
  const Session identity(model.data(), model.size(), config);
  ValuePtr result = createTensor(info.type, info.dims);
  const IoBindingPtr binding = createBinding(identity.get());
  check(ort().BindInput(binding.get(), "x", value));
  bindOutput(binding, "y", result);
  check(ort().RunWithBinding(identity.get(), nullptr, binding.get()));
  return result;
}

}  // namespace archwright
