// JavaScript values to plain structs and back. JavaScript has validated already: what arrives here
// has the fields and types of `src/runtime/binding-types.ts`.
#pragma once

#include <napi.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "host.h"
#include "loop.h"
#include "session.h"
#include "timer.h"

namespace archwright {

// References that keep typed arrays alive while background work reads their memory.
using KeepAlive = std::vector<Napi::ObjectReference>;

template <class T, class Item>
T typedArray(Napi::Env env, const std::vector<Item>& values) {
  T array = T::New(env, values.size());
  std::copy(values.begin(), values.end(), array.Data());
  return array;
}

// Calls `convert(object)` for each element of a JavaScript array of objects.
template <class Convert>
auto mapArray(const Napi::Value& value, Convert convert) {
  const auto array = value.As<Napi::Array>();
  std::vector<decltype(convert(Napi::Object()))> result;
  for (uint32_t i = 0; i < array.Length(); ++i) {
    result.push_back(convert(array.Get(i).As<Napi::Object>()));
  }
  return result;
}

Napi::Array toJs(Napi::Env env, const std::vector<std::string>& values);
Napi::Array toJs(Napi::Env env, const std::vector<SessionValue>& values);
Napi::Array toJs(Napi::Env env, const std::vector<OrtValue*>& values);
Napi::Array toJs(Napi::Env env, const std::vector<ValuePtr>& values);
Napi::Object toJs(Napi::Env env, const ArenaStats& stats);
Napi::Object toJs(Napi::Env env, const MemoryUse& use);
Napi::Object toJs(Napi::Env env, const HostFacts& facts);
Napi::Object toJs(Napi::Env env, const TimingWindow& window);
Napi::Object toJs(Napi::Env env, const ConcurrentRuns& runs);
Napi::Object toJs(Napi::Env env, const LoopResult& result);
Napi::Float64Array toJs(Napi::Env env, const std::vector<double>& values);

// The memory of a typed array, over an ArrayBuffer or a SharedArrayBuffer.
void* borrow(const Napi::Value& typedArray, KeepAlive& keep, size_t* bytes = nullptr);
std::vector<std::string> toStrings(const Napi::Value& array);
ElementType toElementType(const Napi::Value& name);
// Whether elements of this type travel in arrays like this one.
bool carries(const Napi::Value& typedArray, ElementType type);
Dims toDims(const Napi::Value& value);
BorrowedTensor toTensor(std::string name, const Napi::Value& value, KeepAlive& keep);
SessionConfig toSessionConfig(const Napi::Value& value);
Placement toPlacement(const Napi::Value& value);
TimingPlan toTimingPlan(const Napi::Value& value);
std::vector<BorrowedTensor> toTensors(const Napi::Value& byName, KeepAlive& keep);
LoopRequest toLoopRequest(const Napi::Value& value, KeepAlive& keep);

}  // namespace archwright
