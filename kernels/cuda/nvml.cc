#include "nvml.h"

#include "check.h"

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace archwright::cuda {
namespace {

// Of NVML's interface, what is used here; no header of it is needed.
using Device = void*;
using Result = int;  // 0 is success
struct Memory {
  unsigned long long total, free, used;
};
struct Utilization {
  unsigned int gpu, memory;
};
constexpr unsigned kClockSm = 1;
constexpr unsigned kClockMemory = 2;
constexpr unsigned kSensorGpu = 0;

void* openLibrary() {
#ifdef _WIN32
  return LoadLibraryA("nvml.dll");
#else
  return dlopen("libnvidia-ml.so.1", RTLD_NOW | RTLD_LOCAL);
#endif
}

template <class Function>
Function* find(void* library, const char* name) {
#ifdef _WIN32
  return reinterpret_cast<Function*>(GetProcAddress(static_cast<HMODULE>(library), name));
#else
  return reinterpret_cast<Function*>(dlsym(library, name));
#endif
}

// Any function may be missing: the library is the driver's, of whatever age.
struct Nvml {
  Result (*init)() = nullptr;
  Result (*deviceByBusId)(const char*, Device*) = nullptr;
  Result (*clockEventReasons)(Device, unsigned long long*) = nullptr;
  Result (*powerUsage)(Device, unsigned*) = nullptr;
  Result (*energy)(Device, unsigned long long*) = nullptr;
  Result (*memoryInfo)(Device, Memory*) = nullptr;
  Result (*clockInfo)(Device, unsigned, unsigned*) = nullptr;
  Result (*temperature)(Device, unsigned, unsigned*) = nullptr;
  Result (*utilization)(Device, Utilization*) = nullptr;
};

// Opened once and kept: opening takes longer than everything that is asked.
const Nvml& nvml() {
  static const Nvml library = [] {
    void* handle = openLibrary();
    if (handle == nullptr) throw Error(AW_CUDA_UNSUPPORTED, "NVML was not found");
    Nvml found;
    found.init = find<Result()>(handle, "nvmlInit_v2");
    found.deviceByBusId =
        find<Result(const char*, Device*)>(handle, "nvmlDeviceGetHandleByPciBusId_v2");
    using Wide = Result(Device, unsigned long long*);
    found.clockEventReasons = find<Wide>(handle, "nvmlDeviceGetCurrentClocksEventReasons");
    if (found.clockEventReasons == nullptr) {  // its name before driver 535
      found.clockEventReasons = find<Wide>(handle, "nvmlDeviceGetCurrentClocksThrottleReasons");
    }
    found.powerUsage = find<Result(Device, unsigned*)>(handle, "nvmlDeviceGetPowerUsage");
    found.energy = find<Wide>(handle, "nvmlDeviceGetTotalEnergyConsumption");
    found.memoryInfo = find<Result(Device, Memory*)>(handle, "nvmlDeviceGetMemoryInfo");
    found.clockInfo = find<Result(Device, unsigned, unsigned*)>(handle, "nvmlDeviceGetClockInfo");
    found.temperature =
        find<Result(Device, unsigned, unsigned*)>(handle, "nvmlDeviceGetTemperature");
    found.utilization =
        find<Result(Device, Utilization*)>(handle, "nvmlDeviceGetUtilizationRates");
    if (found.init == nullptr || found.deviceByBusId == nullptr) {
      throw Error(AW_CUDA_UNSUPPORTED, "this NVML has not what is needed");
    }
    if (const Result result = found.init(); result != 0) {
      throw Error(AW_CUDA_UNSUPPORTED, "NVML did not start: error " + std::to_string(result));
    }
    return found;
  }();
  return library;
}

// What `function` tells, or -1.
template <class Value, class Function, class... Arguments>
int64_t ask(Function function, Arguments... arguments) {
  Value value{};
  if (function == nullptr || function(arguments..., &value) != 0) return -1;
  return static_cast<int64_t>(value);
}

}  // namespace

aw_cuda_state readState(const std::string& pciBusId) {
  const Nvml& library = nvml();
  Device device = nullptr;
  if (const Result result = library.deviceByBusId(pciBusId.c_str(), &device); result != 0) {
    throw Error(AW_CUDA_UNSUPPORTED,
                "NVML does not know device " + pciBusId + ": error " + std::to_string(result));
  }
  aw_cuda_state state{};
  state.clock_event_reasons = ask<unsigned long long>(library.clockEventReasons, device);
  state.power_milliwatts = ask<unsigned>(library.powerUsage, device);
  state.energy_millijoules = ask<unsigned long long>(library.energy, device);
  Memory memory{};
  const bool told = library.memoryInfo != nullptr && library.memoryInfo(device, &memory) == 0;
  state.memory_used_bytes = told ? static_cast<int64_t>(memory.used) : -1;
  state.memory_total_bytes = told ? static_cast<int64_t>(memory.total) : -1;
  state.sm_clock_mhz = ask<unsigned>(library.clockInfo, device, kClockSm);
  state.memory_clock_mhz = ask<unsigned>(library.clockInfo, device, kClockMemory);
  state.temperature_celsius = ask<unsigned>(library.temperature, device, kSensorGpu);
  Utilization utilization{};
  const bool used = library.utilization != nullptr && library.utilization(device, &utilization) == 0;
  state.utilization_percent = used ? static_cast<int64_t>(utilization.gpu) : -1;
  return state;
}

}  // namespace archwright::cuda
