#include "cuda_addon.h"

#include <memory>
#include <vector>

#include "cuda_library.h"
#include "promise_work.h"

namespace archwright {
namespace {

using Info = const Napi::CallbackInfo&;

int32_t toInt(const Napi::Value& value) { return value.ToNumber().Int32Value(); }

int64_t toLong(const Napi::Value& value) { return value.ToNumber().Int64Value(); }

Napi::Value samplesToJs(Napi::Env env, std::vector<double>& samples) {
  Napi::Float64Array array = Napi::Float64Array::New(env, samples.size());
  std::copy(samples.begin(), samples.end(), array.Data());
  return array;
}

Napi::Value numberToJs(Napi::Env env, double& value) { return Napi::Number::New(env, value); }

// -1 is what the library says of something that it is not told.
void setTold(Napi::Object object, const char* name, int64_t value) {
  if (value == -1) {
    object.Set(name, object.Env().Null());
  } else {
    object.Set(name, static_cast<double>(value));
  }
}

Napi::Object toJs(Napi::Env env, const aw_cuda_facts& facts) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("name", facts.name);
  object.Set("pciBusId", facts.pci_bus_id);
  object.Set("capability", std::to_string(facts.capability_major) + "." +
                               std::to_string(facts.capability_minor));
  object.Set("multiprocessors", facts.multiprocessors);
  object.Set("smClockMhz", facts.sm_clock_khz / 1e3);
  object.Set("memoryClockMhz", facts.memory_clock_khz / 1e3);
  object.Set("memoryBusBits", facts.memory_bus_bits);
  object.Set("ecc", facts.ecc != 0);
  object.Set("driverVersion", facts.driver_version);
  object.Set("runtimeVersion", facts.runtime_version);
  object.Set("memoryBytes", static_cast<double>(facts.memory_bytes));
  object.Set("l2Bytes", static_cast<double>(facts.l2_bytes));
  object.Set("sharedBytesPerBlock", static_cast<double>(facts.shared_bytes_per_block));
  return object;
}

Napi::Object toJs(Napi::Env env, const aw_cuda_state& state) {
  Napi::Object object = Napi::Object::New(env);
  setTold(object, "clockEventReasons", state.clock_event_reasons);
  setTold(object, "powerMilliwatts", state.power_milliwatts);
  setTold(object, "energyMillijoules", state.energy_millijoules);
  setTold(object, "memoryUsedBytes", state.memory_used_bytes);
  setTold(object, "memoryTotalBytes", state.memory_total_bytes);
  setTold(object, "smClockMhz", state.sm_clock_mhz);
  setTold(object, "memoryClockMhz", state.memory_clock_mhz);
  setTold(object, "temperatureCelsius", state.temperature_celsius);
  setTold(object, "utilizationPercent", state.utilization_percent);
  return object;
}

Napi::Value open(Info info) {
  const std::string reason = openCuda(info[0].As<Napi::String>());
  if (reason.empty()) return info.Env().Null();
  return Napi::String::New(info.Env(), reason);
}

Napi::Value devices(Info info) {
  return promiseWork(
      info.Env(), KeepAlive(),
      [] {
        int32_t count = 0;
        checkCuda(cuda().deviceCount(&count));
        std::vector<aw_cuda_facts> facts(static_cast<size_t>(count));
        for (int32_t i = 0; i < count; ++i) {
          checkCuda(cuda().deviceFacts(i, &facts[static_cast<size_t>(i)]));
        }
        return facts;
      },
      [](Napi::Env env, std::vector<aw_cuda_facts>& facts) {
        Napi::Array array = Napi::Array::New(env, facts.size());
        for (uint32_t i = 0; i < facts.size(); ++i) array.Set(i, toJs(env, facts[i]));
        return array;
      });
}

Napi::Value state(Info info) {
  return promiseWork(
      info.Env(), KeepAlive(),
      [device = toInt(info[0])] {
        aw_cuda_state state{};
        checkCuda(cuda().deviceState(device, &state));
        return state;
      },
      [](Napi::Env env, aw_cuda_state& state) { return toJs(env, state); });
}

Napi::Value sample(Info info) {
  return promiseWork(
      info.Env(), KeepAlive(),
      [device = toInt(info[0]), quantity = toInt(info[1]), size = toLong(info[2]),
       count = toInt(info[3])] {
        std::vector<double> samples(static_cast<size_t>(count));
        checkCuda(cuda().sample(device, quantity, size, count, samples.data()));
        return samples;
      },
      samplesToJs);
}

Napi::Value isSupported(Info info) {
  return promiseWork(
      info.Env(), KeepAlive(),
      [device = toInt(info[0]), kernel = toInt(info[1])] {
        int32_t supported = 0;
        checkCuda(cuda().kernelSupported(device, kernel, &supported));
        return supported != 0;
      },
      [](Napi::Env env, bool& supported) { return Napi::Boolean::New(env, supported); });
}

Napi::Value matrixRate(Info info) {
  return promiseWork(
      info.Env(), KeepAlive(),
      [device = toInt(info[0]), kernel = toInt(info[1]), m = toLong(info[2]), n = toLong(info[3]),
       k = toLong(info[4]), count = toInt(info[5])] {
        std::vector<double> samples(static_cast<size_t>(count));
        checkCuda(cuda().matrixRate(device, kernel, m, n, k, count, samples.data()));
        return samples;
      },
      samplesToJs);
}

Napi::Value selfTest(Info info) {
  return promiseWork(
      info.Env(), KeepAlive(),
      [device = toInt(info[0]), kernel = toInt(info[1]), m = toLong(info[2]), n = toLong(info[3]),
       k = toLong(info[4]), seed = toLong(info[5])] {
        double error = 0;
        checkCuda(cuda().selfTest(device, kernel, m, n, k, static_cast<uint64_t>(seed), &error));
        return error;
      },
      numberToJs);
}

Napi::Value flushL2(Info info) {
  return promiseWork(
      info.Env(), KeepAlive(),
      [device = toInt(info[0])] {
        aw_cuda_timer* created = nullptr;
        checkCuda(cuda().timerCreate(device, &created));
        const std::unique_ptr<aw_cuda_timer, decltype(&aw_cuda_timer_destroy)> timer(
            created, cuda().timerDestroy);
        double ns = 0;
        checkCuda(cuda().timerStart(timer.get(), nullptr));
        checkCuda(cuda().flushL2(device));
        checkCuda(cuda().timerStop(timer.get(), nullptr));
        checkCuda(cuda().timerElapsed(timer.get(), &ns));
        return ns;
      },
      numberToJs);
}

}  // namespace

Napi::Object createCuda(Napi::Env env) {
  Napi::Object object = Napi::Object::New(env);
  const auto add = [&](const char* name, Napi::Value (*function)(Info)) {
    object.Set(name, Napi::Function::New(env, function, name));
  };
  add("open", open);
  add("devices", devices);
  add("state", state);
  add("sample", sample);
  add("isSupported", isSupported);
  add("matrixRate", matrixRate);
  add("selfTest", selfTest);
  add("flushL2", flushL2);
  return object;
}

}  // namespace archwright
