#include "process_state.h"

#include <atomic>
#include <cstdlib>
#include <mutex>
#include <stdexcept>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace archwright {
namespace {

struct Runtime {
  std::string path;
  std::string version;
  OrtFunctions functions;
  OrtEnv* env;
};

std::mutex openMutex;
// Never freed, nor is the library closed: ONNX Runtime's threads and static objects may outlive any
// order of destruction that this addon could choose, and the process ends with them anyway.
std::atomic<const Runtime*> opened{nullptr};

void disableTelemetry() {
#ifdef _WIN32
  if (GetEnvironmentVariableA("ORT_DISABLE_TELEMETRY", nullptr, 0) == 0) {
    _putenv_s("ORT_DISABLE_TELEMETRY", "1");
  }
#else
  setenv("ORT_DISABLE_TELEMETRY", "1", /*overwrite=*/0);
#endif
}

using GetApiBase = const OrtApiBase*(ORT_CALL*)();

GetApiBase findEntry(const std::string& path) {
#ifdef _WIN32
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), length);
  // The altered search path lets the library find the DLLs that lie beside it.
  HMODULE library = LoadLibraryExW(wide.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
  if (library == nullptr) {
    throw std::runtime_error("LoadLibrary failed with error " + std::to_string(GetLastError()));
  }
  auto entry = reinterpret_cast<GetApiBase>(GetProcAddress(library, "OrtGetApiBase"));
#else
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw std::runtime_error(dlerror());
  auto entry = reinterpret_cast<GetApiBase>(dlsym(library, "OrtGetApiBase"));
#endif
  if (entry == nullptr) {
    throw std::runtime_error(path + " has no OrtGetApiBase: it is not ONNX Runtime");
  }
  return entry;
}

}  // namespace

void openRuntime(const std::string& path) {
  const std::lock_guard<std::mutex> lock(openMutex);
  if (const Runtime* runtime = opened.load()) {
    if (runtime->path == path) return;
    throw std::runtime_error("this process has already opened " + runtime->path);
  }
  disableTelemetry();
  const OrtApiBase* base = findEntry(path)();
  const std::string version = base->getVersionString();
  const OrtAnyFunction* slots = base->getApi(kOrtApiVersion);
  if (slots == nullptr) {
    throw std::runtime_error("expected ONNX Runtime 1." + std::to_string(kOrtApiVersion) +
                             " or later, found " + version);
  }
  auto* runtime = new Runtime{path, version, readOrtFunctions(slots), nullptr};
  OrtStatus* status = runtime->functions.CreateEnv(kOrtLoggingError, "archwright", &runtime->env);
  if (status != nullptr) {
    const std::string message = runtime->functions.GetErrorMessage(status);
    runtime->functions.ReleaseStatus(status);
    delete runtime;
    throw std::runtime_error("ONNX Runtime did not start: " + message);
  }
  opened.store(runtime);
}

static const Runtime& runtime() {
  const Runtime* runtime = opened.load(std::memory_order_acquire);
  if (runtime == nullptr) throw std::runtime_error("internal: ONNX Runtime has not been opened");
  return *runtime;
}

const OrtFunctions& ort() { return runtime().functions; }
OrtEnv* ortEnv() { return runtime().env; }
std::string runtimeVersion() { return runtime().version; }

}  // namespace archwright
