#include "convert.h"

#include <cstring>
#include <stdexcept>

namespace archwright {
namespace {

struct TypeRow {
  ElementType type;
  const char* name;
  napi_typedarray_type array;
  size_t bytes;
};

constexpr TypeRow kTypes[] = {
    {kFloat32, "float32", napi_float32_array, 4},  {kFloat64, "float64", napi_float64_array, 8},
    {kFloat16, "float16", napi_uint16_array, 2},   {kBfloat16, "bfloat16", napi_uint16_array, 2},
    {kInt8, "int8", napi_int8_array, 1},           {kInt16, "int16", napi_int16_array, 2},
    {kInt32, "int32", napi_int32_array, 4},        {kInt64, "int64", napi_bigint64_array, 8},
    {kUint8, "uint8", napi_uint8_array, 1},        {kUint16, "uint16", napi_uint16_array, 2},
    {kUint32, "uint32", napi_uint32_array, 4},     {kUint64, "uint64", napi_biguint64_array, 8},
    {kBool, "bool", napi_uint8_array, 1},
};

const TypeRow& typeRow(ElementType type) {
  for (const TypeRow& row : kTypes) {
    if (row.type == type) return row;
  }
  throw std::runtime_error("expected a tensor of numbers or bools, received ONNX type " +
                           std::to_string(type));
}

Napi::Array dimsToJs(Napi::Env env, const Dims& dims) {
  Napi::Array array = Napi::Array::New(env, dims.size());
  for (uint32_t i = 0; i < dims.size(); ++i) array.Set(i, static_cast<double>(dims[i]));
  return array;
}

Napi::Object tensorToJs(Napi::Env env, OrtValue* value) {
  const TensorInfo info = tensorInfo(value);
  const TypeRow& row = typeRow(info.type);
  size_t count = 1;
  for (const int64_t dim : info.dims) count *= static_cast<size_t>(dim);
  Napi::ArrayBuffer buffer = Napi::ArrayBuffer::New(env, count * row.bytes);
  if (count > 0) std::memcpy(buffer.Data(), tensorData(value), count * row.bytes);
  napi_value array = nullptr;
  if (napi_create_typedarray(env, row.array, count, buffer, 0, &array) != napi_ok) {
    throw Napi::Error::New(env);
  }
  Napi::Object tensor = Napi::Object::New(env);
  tensor.Set("dtype", row.name);
  tensor.Set("dims", dimsToJs(env, info.dims));
  tensor.Set("data", array);
  return tensor;
}

StringPairs toPairs(const Napi::Value& value) {
  StringPairs pairs;
  if (!value.IsObject()) return pairs;
  const auto object = value.As<Napi::Object>();
  for (const std::string& key : toStrings(object.GetPropertyNames())) {
    pairs.emplace_back(key, object.Get(key).As<Napi::String>().Utf8Value());
  }
  return pairs;
}

int toOptimizationLevel(const std::string& name) {
  if (name == "none") return 0;
  if (name == "basic") return 1;
  if (name == "extended") return 2;
  return 99;
}

}  // namespace

ElementType toElementType(const Napi::Value& value) {
  const std::string name = value.As<Napi::String>();
  for (const TypeRow& row : kTypes) {
    if (name == row.name) return row.type;
  }
  throw std::runtime_error("internal: unknown element type " + name);
}

Dims toDims(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  Dims dims(array.Length());
  for (uint32_t i = 0; i < dims.size(); ++i) dims[i] = array.Get(i).ToNumber().Int64Value();
  return dims;
}

bool carries(const Napi::Value& typedArray, ElementType type) {
  return typedArray.As<Napi::TypedArray>().TypedArrayType() == typeRow(type).array;
}

void* borrow(const Napi::Value& typedArray, KeepAlive& keep, size_t* bytes) {
  const auto array = typedArray.As<Napi::TypedArray>();
  keep.push_back(Napi::Persistent(typedArray.As<Napi::Object>()));
  void* data = nullptr;
  // The raw call: `Napi::TypedArray` would reach the data through an ArrayBuffer, which a
  // SharedArrayBuffer is not.
  if (napi_get_typedarray_info(array.Env(), array, nullptr, nullptr, &data, nullptr, nullptr) !=
      napi_ok) {
    throw Napi::Error::New(array.Env());
  }
  if (bytes != nullptr) *bytes = array.ByteLength();
  return data;
}

std::vector<std::string> toStrings(const Napi::Value& array) {
  const auto list = array.As<Napi::Array>();
  std::vector<std::string> result;
  for (uint32_t i = 0; i < list.Length(); ++i) {
    result.push_back(list.Get(i).As<Napi::String>().Utf8Value());
  }
  return result;
}

BorrowedTensor toTensor(std::string name, const Napi::Value& value, KeepAlive& keep) {
  const auto object = value.As<Napi::Object>();
  BorrowedTensor tensor;
  tensor.name = std::move(name);
  tensor.type = toElementType(object.Get("dtype"));
  tensor.dims = toDims(object.Get("dims"));
  tensor.data = borrow(object.Get("data"), keep, &tensor.bytes);
  return tensor;
}

std::string toOptionalString(const Napi::Value& value) {
  return value.IsUndefined() ? std::string() : value.As<Napi::String>().Utf8Value();
}

SessionConfig toSessionConfig(const Napi::Value& value) {
  const auto object = value.As<Napi::Object>();
  SessionConfig config;
  config.threads = object.Get("threads").ToNumber().Int32Value();
  config.optimizationLevel = toOptimizationLevel(object.Get("optimization").As<Napi::String>());
  config.provider = object.Get("provider").As<Napi::String>().Utf8Value();
  config.providerOptions = toPairs(object.Get("providerOptions"));
  config.entries = toPairs(object.Get("config"));
  const Napi::Value spin = object.Get("spin");
  if (spin.IsBoolean()) {
    config.entries.emplace_back("session.intra_op.allow_spinning", spin.ToBoolean() ? "1" : "0");
  }
  const Napi::Value arena = object.Get("arena");
  config.arena = arena.IsUndefined() || arena.ToBoolean();
  const Napi::Value pattern = object.Get("memoryPattern");
  config.memoryPattern = pattern.IsUndefined() || pattern.ToBoolean();
  config.profilePrefix = toOptionalString(object.Get("profilePrefix"));
  config.optimizedModelPath = toOptionalString(object.Get("optimizedModelPath"));
  return config;
}

Placement toPlacement(const Napi::Value& value) {
  const auto isDevice = [object = value.As<Napi::Object>()](const char* key) {
    return object.Get(key).As<Napi::String>().Utf8Value() == "device";
  };
  return {isDevice("inputs"), isDevice("outputs")};
}

TimingPlan toTimingPlan(const Napi::Value& value) {
  const auto whole = [object = value.As<Napi::Object>()](const char* key) {
    const Napi::Value number = object.Get(key);
    return number.IsUndefined() ? size_t{0}
                                : static_cast<size_t>(number.ToNumber().Int64Value());
  };
  return {whole("samples"), whole("group"), whole("flushBytes"), whole("intervalNs")};
}

std::vector<BorrowedTensor> toTensors(const Napi::Value& byName, KeepAlive& keep) {
  const auto object = byName.As<Napi::Object>();
  std::vector<BorrowedTensor> tensors;
  for (std::string& name : toStrings(object.GetPropertyNames())) {
    const Napi::Value tensor = object.Get(name);
    tensors.push_back(toTensor(std::move(name), tensor, keep));
  }
  return tensors;
}

Napi::Array toJs(Napi::Env env, const std::vector<std::string>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) array.Set(i, values[i]);
  return array;
}

Napi::Array toJs(Napi::Env env, const std::vector<SessionValue>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) {
    Napi::Object value = Napi::Object::New(env);
    value.Set("name", values[i].name);
    value.Set("dtype", typeRow(values[i].type).name);
    value.Set("dims", dimsToJs(env, values[i].dims));
    array.Set(i, value);
  }
  return array;
}

Napi::Array toJs(Napi::Env env, const std::vector<OrtValue*>& values) {
  Napi::Array array = Napi::Array::New(env, values.size());
  for (uint32_t i = 0; i < values.size(); ++i) array.Set(i, tensorToJs(env, values[i]));
  return array;
}

Napi::Array toJs(Napi::Env env, const std::vector<ValuePtr>& values) {
  std::vector<OrtValue*> borrowed;
  for (const ValuePtr& value : values) borrowed.push_back(value.get());
  return toJs(env, borrowed);
}

Napi::Object toJs(Napi::Env env, const ArenaStats& stats) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("inUseBytes", stats.inUseBytes);
  object.Set("maxInUseBytes", stats.maxInUseBytes);
  object.Set("totalAllocatedBytes", stats.totalAllocatedBytes);
  object.Set("allocations", stats.allocations);
  return object;
}

Napi::Object toJs(Napi::Env env, const MemoryUse& use) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("residentBytes", use.residentBytes);
  object.Set("peakResidentBytes", use.peakResidentBytes);
  return object;
}

Napi::Object toJs(Napi::Env env, const HostFacts& facts) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("cpuModel", facts.cpuModel);
  object.Set("logicalCores", facts.logicalCores);
  object.Set("availableCores", facts.availableCores);
  object.Set("totalMemoryBytes", facts.totalMemoryBytes);
  object.Set("frequencyMhz", facts.frequencyMhz);
  object.Set("features", toJs(env, facts.features));
  object.Set("platform", facts.platform);
  return object;
}

Napi::Object toJs(Napi::Env env, const TimingWindow& window) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("samplesNs", typedArray<Napi::Float64Array>(env, window.samplesNs));
  object.Set("enqueueNs", typedArray<Napi::Float64Array>(env, window.enqueueNs));
  object.Set("wallNs", window.wallNs);
  object.Set("involuntarySwitches", window.involuntarySwitches);
  object.Set("stealNs", window.stealNs);
  object.Set("otherCpuNs", window.otherCpuNs);
  object.Set("counterTicks", window.counterTicks);
  object.Set("coreMhz", window.coreMhz);
  return object;
}

Napi::Object toJs(Napi::Env env, const ConcurrentRuns& runs) {
  Napi::Array samples = Napi::Array::New(env, runs.samplesNs.size());
  for (uint32_t i = 0; i < runs.samplesNs.size(); ++i) {
    samples.Set(i, typedArray<Napi::Float64Array>(env, runs.samplesNs[i]));
  }
  Napi::Object object = Napi::Object::New(env);
  object.Set("samplesNs", samples);
  object.Set("wallNs", runs.wallNs);
  return object;
}

Napi::Float64Array toJs(Napi::Env env, const std::vector<double>& values) {
  return typedArray<Napi::Float64Array>(env, values);
}

}  // namespace archwright
