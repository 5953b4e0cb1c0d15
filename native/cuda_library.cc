#include "cuda_library.h"

#include <atomic>
#include <mutex>
#include <stdexcept>

#ifdef _WIN32
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace archwright {
namespace {

std::mutex openMutex;
// Never freed nor closed: the driver's threads outlive any order of destruction.
std::atomic<const CudaFunctions*> opened{nullptr};

#ifdef _WIN32
using Library = HMODULE;

Library openLibrary(const std::string& path, std::string* reason) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, nullptr, 0);
  std::wstring wide(static_cast<size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.c_str(), -1, wide.data(), length);
  Library library = LoadLibraryW(wide.c_str());
  if (library == nullptr) *reason = "LoadLibrary failed with " + std::to_string(GetLastError());
  return library;
}

void* findSymbol(Library library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(library, name));
}
#else
using Library = void*;

Library openLibrary(const std::string& path, std::string* reason) {
  Library library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) *reason = dlerror();
  return library;
}

void* findSymbol(Library library, const char* name) { return dlsym(library, name); }
#endif

// Finds `name`; the first that is missing is noted in `missing`.
template <class Function>
void find(Library library, const char* name, Function* function, std::string* missing) {
  *function = reinterpret_cast<Function>(findSymbol(library, name));
  if (*function == nullptr && missing->empty()) *missing = name;
}

}  // namespace

std::string openCuda(const std::string& path) {
  const std::lock_guard<std::mutex> lock(openMutex);
  if (opened.load() != nullptr) return "";
  std::string reason;
  const Library library = openLibrary(path, &reason);
  if (library == nullptr) return reason;

  CudaFunctions found{};
  std::string missing;
  find(library, "aw_cuda_abi_version", &found.abiVersion, &missing);
  if (!missing.empty()) return path + " has no " + missing + ": it is not libarchwright_cuda";
  if (found.abiVersion() != AW_CUDA_ABI_VERSION) {
    return path + " has version " + std::to_string(found.abiVersion()) +
           " of its interface, version " + std::to_string(AW_CUDA_ABI_VERSION) + " is expected";
  }
  find(library, "aw_cuda_last_error", &found.lastError, &missing);
  find(library, "aw_cuda_device_count", &found.deviceCount, &missing);
  find(library, "aw_cuda_device_facts", &found.deviceFacts, &missing);
  find(library, "aw_cuda_device_state", &found.deviceState, &missing);
  find(library, "aw_cuda_sample", &found.sample, &missing);
  find(library, "aw_cuda_kernel_supported", &found.kernelSupported, &missing);
  find(library, "aw_cuda_matrix_rate", &found.matrixRate, &missing);
  find(library, "aw_cuda_self_test", &found.selfTest, &missing);
  find(library, "aw_cuda_flush_l2", &found.flushL2, &missing);
  find(library, "aw_cuda_timer_create", &found.timerCreate, &missing);
  find(library, "aw_cuda_timer_start", &found.timerStart, &missing);
  find(library, "aw_cuda_timer_stop", &found.timerStop, &missing);
  find(library, "aw_cuda_timer_elapsed", &found.timerElapsed, &missing);
  find(library, "aw_cuda_timer_destroy", &found.timerDestroy, &missing);
  if (!missing.empty()) return path + " has no " + missing;
  opened.store(new CudaFunctions(found));
  return "";
}

const CudaFunctions& cuda() {
  const CudaFunctions* functions = opened.load();
  if (functions == nullptr) throw std::runtime_error("internal: libarchwright_cuda is not open");
  return *functions;
}

void checkCuda(aw_cuda_status status) {
  if (status != AW_CUDA_OK) throw std::runtime_error(cuda().lastError());
}

}  // namespace archwright
