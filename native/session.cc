#include "session.h"

#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "host.h"

namespace archwright {
namespace {

SessionOptionsPtr createOptions(const SessionConfig& config) {
  OrtSessionOptions* raw = nullptr;
  check(ort().CreateSessionOptions(&raw));
  SessionOptionsPtr options(raw);
  check(ort().SetIntraOpNumThreads(raw, config.threads));
  check(ort().SetInterOpNumThreads(raw, 1));
  check(ort().SetSessionGraphOptimizationLevel(raw, config.optimizationLevel));
  if (!config.memoryPattern) check(ort().DisableMemPattern(raw));
  if (!config.arena) check(ort().DisableCpuMemArena(raw));
  if (!config.profilePrefix.empty()) {
    check(ort().EnableProfiling(raw, toPath(config.profilePrefix).c_str()));
  }
  if (!config.optimizedModelPath.empty()) {
    check(ort().SetOptimizedModelFilePath(raw, toPath(config.optimizedModelPath).c_str()));
  }
  for (const auto& [key, value] : config.entries) {
    check(ort().AddSessionConfigEntry(raw, key.c_str(), value.c_str()));
  }
  if (config.provider != "cpu") appendProvider(raw, config.provider, config.providerOptions);
  return options;
}

bool isSupported(int type) {
  return (type >= kFloat32 && type <= kInt64) || (type >= kBool && type <= kUint64) ||
         type == kBfloat16;
}

using GetCount = decltype(OrtFunctions::SessionGetInputCount);
using GetName = decltype(OrtFunctions::SessionGetInputName);
using GetType = decltype(OrtFunctions::SessionGetInputTypeInfo);

std::vector<SessionValue> describe(const OrtSession* session, const char* kind, GetCount getCount,
                                   GetName getName, GetType getType) {
  OrtAllocator* allocator = nullptr;  // owned by ONNX Runtime
  check(ort().GetAllocatorWithDefaultOptions(&allocator));
  size_t count = 0;
  check(getCount(session, &count));
  std::vector<SessionValue> values;
  for (size_t i = 0; i < count; ++i) {
    char* rawName = nullptr;
    check(getName(session, i, allocator, &rawName));
    std::string name = rawName;
    check(ort().AllocatorFree(allocator, rawName));
    OrtTypeInfo* rawType = nullptr;
    check(getType(session, i, &rawType));
    const TypeInfoPtr type(rawType);
    int onnxType = 0;
    check(ort().GetOnnxTypeFromTypeInfo(rawType, &onnxType));
    const OrtTensorTypeAndShapeInfo* info = nullptr;  // owned by `type`
    if (onnxType == kOnnxTypeTensor) check(ort().CastTypeInfoToTensorInfo(rawType, &info));
    TensorInfo tensor = info == nullptr ? TensorInfo{} : readTensorInfo(info);
    if (info == nullptr || !isSupported(tensor.type)) {
      throw std::runtime_error(std::string(kind) + " \"" + name +
                               "\": expected a dense tensor of numbers or bools");
    }
    values.push_back({std::move(name), tensor.type, std::move(tensor.dims)});
  }
  return values;
}

}  // namespace

Session::Session(const void* model, size_t bytes, const SessionConfig& config)
    : config_(config) {
  const double start = monotonicNs();
  const SessionOptionsPtr options = createOptions(config);
  customOps_ = std::make_unique<CustomOps>(options.get(), config.threads);
  OrtSession* raw = nullptr;
  check(ort().CreateSessionFromArray(ortEnv(), model, bytes, options.get(), &raw));
  session_.reset(raw);
  loadNs_ = monotonicNs() - start;
  inputs_ = describe(raw, "input", ort().SessionGetInputCount, ort().SessionGetInputName,
                     ort().SessionGetInputTypeInfo);
  outputs_ = describe(raw, "output", ort().SessionGetOutputCount, ort().SessionGetOutputName,
                      ort().SessionGetOutputTypeInfo);
}

std::vector<ValuePtr> Session::run(const std::vector<BorrowedTensor>& feeds,
                                   const std::vector<std::string>& outputs) const {
  const MemoryInfoPtr memory = createCpuMemoryInfo();
  std::vector<ValuePtr> values;
  std::vector<const char*> names;
  std::vector<const OrtValue*> pointers;
  for (const BorrowedTensor& feed : feeds) {
    values.push_back(wrapTensor(feed, memory.get()));
    names.push_back(feed.name.c_str());
    pointers.push_back(values.back().get());
  }
  std::vector<const char*> outputNames;
  for (const std::string& name : outputs) outputNames.push_back(name.c_str());
  std::vector<OrtValue*> raw(outputs.size(), nullptr);
  check(ort().Run(session_.get(), nullptr, names.data(), pointers.data(), pointers.size(),
                  outputNames.data(), outputNames.size(), raw.data()));
  std::vector<ValuePtr> results;
  for (OrtValue* value : raw) results.emplace_back(value);
  return results;
}

AllocatorPtr Session::createAllocator(const OrtMemoryInfo* memory) const {
  OrtAllocator* allocator = nullptr;
  check(ort().CreateAllocator(session_.get(), memory, &allocator));
  return AllocatorPtr(allocator);
}

ArenaStats Session::arenaStats(bool ofDevice) const {
  ArenaStats stats;
  const MemoryInfoPtr host = createCpuMemoryInfo();
  const OrtMemoryInfo* memory = host.get();
  if (ofDevice) {
    const bool hasInputs = !inputs_.empty();
    std::vector<const OrtMemoryInfo*> infos((hasInputs ? inputs_ : outputs_).size());
    check((hasInputs ? ort().SessionGetMemoryInfoForInputs : ort().SessionGetMemoryInfoForOutputs)(
        session_.get(), infos.data(), infos.size()));
    memory = infos.at(0);
    for (const OrtMemoryInfo* info : infos) {
      if (isDeviceMemory(info)) memory = info;
    }
  }
  if (!config_.arena && !isDeviceMemory(memory)) return stats;
  const AllocatorPtr allocator = createAllocator(memory);
  OrtKeyValuePairs* rawPairs = nullptr;
  check(ort().AllocatorGetStats(allocator.get(), &rawPairs));
  const KeyValuePairsPtr pairs(rawPairs);
  const char* const* keys = nullptr;
  const char* const* values = nullptr;
  size_t count = 0;
  ort().GetKeyValuePairs(rawPairs, &keys, &values, &count);
  for (size_t i = 0; i < count; ++i) {
    const double value = std::strtod(values[i], nullptr);
    if (std::strcmp(keys[i], "InUse") == 0) stats.inUseBytes = value;
    if (std::strcmp(keys[i], "MaxInUse") == 0) stats.maxInUseBytes = value;
    if (std::strcmp(keys[i], "TotalAllocated") == 0) stats.totalAllocatedBytes = value;
    if (std::strcmp(keys[i], "NumAllocs") == 0) stats.allocations = value;
  }
  return stats;
}

std::string Session::endProfiling() {
  if (config_.profilePrefix.empty()) {
    throw std::runtime_error("internal: the session was created without a profile");
  }
  OrtAllocator* allocator = nullptr;  // owned by ONNX Runtime
  check(ort().GetAllocatorWithDefaultOptions(&allocator));
  char* rawPath = nullptr;
  check(ort().SessionEndProfiling(session_.get(), allocator, &rawPath));
  const std::string path = rawPath;
  check(ort().AllocatorFree(allocator, rawPath));
  return path;
}

}  // namespace archwright
