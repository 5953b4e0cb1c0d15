#include "addon.h"

#include <memory>
#include <stdexcept>
#include <utility>

#include "convert.h"
#include "cpu/peak.h"
#include "cuda_addon.h"
#include "file_lock.h"
#include "host.h"
#include "loop.h"
#include "promise_work.h"
#include "session.h"
#include "timer.h"

namespace archwright {
namespace {

// A JavaScript handle owns a shared pointer; releasing empties it, and work under way has its own.
template <class T>
struct Handle {
  using Shared = std::shared_ptr<T>;
  static const napi_type_tag kTag;

  static Napi::Value wrap(Napi::Env env, Shared value) {
    auto external = Napi::External<Shared>::New(env, new Shared(std::move(value)),
                                                [](Napi::Env, Shared* held) { delete held; });
    external.TypeTag(&kTag);
    return external;
  }

  static Shared& held(const Napi::Value& value) {
    if (!value.IsExternal() || !value.As<Napi::External<Shared>>().CheckTypeTag(&kTag)) {
      throw std::runtime_error("internal: expected a handle of this addon");
    }
    return *value.As<Napi::External<Shared>>().Data();
  }

  static Shared get(const Napi::Value& value) {
    Shared shared = held(value);
    if (shared == nullptr) throw std::runtime_error("internal: the handle was released before");
    return shared;
  }

  static void release(const Napi::Value& value) { held(value).reset(); }
};

// Arbitrary numbers that tell this addon's handles from each other and from anything else.
template <>
const napi_type_tag Handle<Session>::kTag = {0x9d1f6c3b52e84a07, 0xb1c7e0a94f35d862};
template <>
const napi_type_tag Handle<Timer>::kTag = {0x3e7ab9405cd2f816, 0x86d0f2c1a97b4e35};
template <>
const napi_type_tag Handle<FileLock>::kTag = {0x5b08d7e6f1a349c2, 0xe42c91b7063fd85a};

}  // namespace

// The flat list of what JavaScript sees; `addon.h` documents each entry.
Addon::Addon(Napi::Env, Napi::Object exports) {
  DefineAddon(exports, {
                           InstanceMethod("openRuntime", &Addon::openRuntime),
                           InstanceMethod("runtimeVersion", &Addon::runtimeVersion),
                           InstanceMethod("availableProviders", &Addon::availableProviders),
                           InstanceMethod("hostFacts", &Addon::hostFacts),
                           InstanceMethod("memoryUse", &Addon::memoryUse),
                           InstanceMethod("resetPeakMemory", &Addon::resetPeakMemory),
                           InstanceMethod("measurePeak", &Addon::measurePeak),
                           InstanceMethod("createSession", &Addon::createSession),
                           InstanceMethod("sessionInputs", &Addon::sessionInputs),
                           InstanceMethod("sessionOutputs", &Addon::sessionOutputs),
                           InstanceMethod("sessionLoadNs", &Addon::sessionLoadNs),
                           InstanceMethod("allocatorStats", &Addon::allocatorStats),
                           InstanceMethod("endProfiling", &Addon::endProfiling),
                           InstanceMethod("releaseSession", &Addon::releaseSession),
                           InstanceMethod("run", &Addon::run),
                           InstanceMethod("createTimer", &Addon::createTimer),
                           InstanceMethod("timerFirstRunNs", &Addon::timerFirstRunNs),
                           InstanceMethod("runTimer", &Addon::runTimer),
                           InstanceMethod("runTimersTogether", &Addon::runTimersTogether),
                           InstanceMethod("timerOutputs", &Addon::timerOutputs),
                           InstanceMethod("releaseTimer", &Addon::releaseTimer),
                           InstanceMethod("runLoop", &Addon::runLoop),
                           InstanceMethod("tryLock", &Addon::tryLock),
                           InstanceMethod("unlock", &Addon::unlock),
                       });
  exports.Set("cuda", createCuda(exports.Env()));
}

Napi::Value Addon::openRuntime(Info info) {
  archwright::openRuntime(info[0].As<Napi::String>());
  return info.Env().Undefined();
}

Napi::Value Addon::runtimeVersion(Info info) {
  return Napi::String::New(info.Env(), archwright::runtimeVersion());
}

Napi::Value Addon::availableProviders(Info info) {
  return toJs(info.Env(), archwright::availableProviders());
}

Napi::Value Addon::hostFacts(Info info) { return toJs(info.Env(), readHostFacts()); }

Napi::Value Addon::memoryUse(Info info) { return toJs(info.Env(), readMemoryUse()); }

Napi::Value Addon::resetPeakMemory(Info info) {
  return Napi::Boolean::New(info.Env(), archwright::resetPeakMemory());
}

Napi::Value Addon::measurePeak(Info info) {
  const std::string kind = info[0].As<Napi::String>();
  const kernels::Peak peak = kind == "float32"   ? kernels::Peak::kFloat32
                             : kind == "float64" ? kernels::Peak::kFloat64
                             : kind == "int8"    ? kernels::Peak::kInt8
                                                 : kernels::Peak::kBandwidth;
  const int threads = info[1].ToNumber().Int32Value();
  const int repetitions = info[2].ToNumber().Int32Value();
  const auto bytes = static_cast<size_t>(info[3].ToNumber().Int64Value());
  return promiseWork(
      info.Env(), KeepAlive(),
      [=] { return kernels::measurePeak(peak, threads, repetitions, bytes); },
      [](Napi::Env env, std::vector<double>& rates) { return toJs(env, rates); });
}

Napi::Value Addon::createSession(Info info) {
  KeepAlive keep;
  size_t bytes = 0;
  const void* model = borrow(info[0], keep, &bytes);
  return promiseWork(
      info.Env(), std::move(keep),
      [model, bytes, config = toSessionConfig(info[1])] {
        return std::make_shared<Session>(model, bytes, config);
      },
      [](Napi::Env env, std::shared_ptr<Session>& session) {
        return Handle<Session>::wrap(env, std::move(session));
      });
}

Napi::Value Addon::sessionInputs(Info info) {
  return toJs(info.Env(), Handle<Session>::get(info[0])->inputs());
}

Napi::Value Addon::sessionOutputs(Info info) {
  return toJs(info.Env(), Handle<Session>::get(info[0])->outputs());
}

Napi::Value Addon::sessionLoadNs(Info info) {
  return Napi::Number::New(info.Env(), Handle<Session>::get(info[0])->loadNs());
}

Napi::Value Addon::allocatorStats(Info info) {
  const bool ofDevice = info[1].As<Napi::String>().Utf8Value() == "device";
  return toJs(info.Env(), Handle<Session>::get(info[0])->arenaStats(ofDevice));
}

Napi::Value Addon::endProfiling(Info info) {
  return Napi::String::New(info.Env(), Handle<Session>::get(info[0])->endProfiling());
}

Napi::Value Addon::releaseSession(Info info) {
  Handle<Session>::release(info[0]);
  return info.Env().Undefined();
}

Napi::Value Addon::run(Info info) {
  KeepAlive keep;
  std::vector<BorrowedTensor> feeds = toTensors(info[1], keep);
  return promiseWork(
      info.Env(), std::move(keep),
      [session = Handle<Session>::get(info[0]), feeds = std::move(feeds),
       outputs = toStrings(info[2])] { return session->run(feeds, outputs); },
      [](Napi::Env env, std::vector<ValuePtr>& values) { return toJs(env, values); });
}

Napi::Value Addon::createTimer(Info info) {
  KeepAlive keep;
  std::vector<std::vector<BorrowedTensor>> sets;
  const auto array = info[1].As<Napi::Array>();
  for (uint32_t i = 0; i < array.Length(); ++i) sets.push_back(toTensors(array.Get(i), keep));
  return promiseWork(
      info.Env(), std::move(keep),
      [session = Handle<Session>::get(info[0]), sets = std::move(sets),
       placement = toPlacement(info[2])] {
        return std::make_shared<Timer>(session, sets, placement);
      },
      [](Napi::Env env, std::shared_ptr<Timer>& timer) {
        return Handle<Timer>::wrap(env, std::move(timer));
      });
}

Napi::Value Addon::timerFirstRunNs(Info info) {
  return Napi::Number::New(info.Env(), Handle<Timer>::get(info[0])->firstRunNs());
}

Napi::Value Addon::runTimer(Info info) {
  return promiseWork(
      info.Env(), KeepAlive(),
      [timer = Handle<Timer>::get(info[0]), plan = toTimingPlan(info[1])] {
        return timer->run(plan);
      },
      [](Napi::Env env, TimingWindow& window) { return toJs(env, window); });
}

Napi::Value Addon::runTimersTogether(Info info) {
  std::vector<std::shared_ptr<Timer>> timers;
  const auto handles = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < handles.Length(); ++i) {
    timers.push_back(Handle<Timer>::get(handles.Get(i)));
  }
  const auto durationNs = static_cast<uint64_t>(info[1].ToNumber().Int64Value());
  return promiseWork(
      info.Env(), KeepAlive(),
      [timers = std::move(timers), durationNs] {
        return archwright::runTimersTogether(timers, durationNs);
      },
      [](Napi::Env env, ConcurrentRuns& runs) { return toJs(env, runs); });
}

Napi::Value Addon::timerOutputs(Info info) {
  const auto timer = Handle<Timer>::get(info[0]);
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("inputSet", static_cast<double>(timer->lastSet()));
  result.Set("outputs", toJs(info.Env(), timer->readOutputs()));
  return result;
}

Napi::Value Addon::releaseTimer(Info info) {
  Handle<Timer>::release(info[0]);
  return info.Env().Undefined();
}

Napi::Value Addon::runLoop(Info info) {
  KeepAlive keep;
  LoopRequest request = toLoopRequest(info[1], keep);
  return promiseWork(
      info.Env(), std::move(keep),
      [session = Handle<Session>::get(info[0]), request = std::move(request)] {
        return archwright::runLoop(*session, request);
      },
      [](Napi::Env env, LoopResult& result) { return toJs(env, result); });
}

Napi::Value Addon::tryLock(Info info) {
  std::shared_ptr<FileLock> lock = FileLock::tryAcquire(info[0].As<Napi::String>());
  if (lock == nullptr) return info.Env().Null();
  return Handle<FileLock>::wrap(info.Env(), std::move(lock));
}

Napi::Value Addon::unlock(Info info) {
  Handle<FileLock>::release(info[0]);
  return info.Env().Undefined();
}

}  // namespace archwright

// The macro below names the class without its namespace.
using archwright::Addon;
NODE_API_ADDON(Addon)
