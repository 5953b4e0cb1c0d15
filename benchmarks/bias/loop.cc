// The plainest loop that there can be over ONNX Runtime's C interface: inputs and outputs bound
// once, a clock, `RunWithBinding`, a clock. Nothing of the instrument but the slot table.
//
//   loop <libonnxruntime> <model> <inputs> <sets> <threads> <seconds>
//
// The model has one float32 input of fixed dims and one float32 output; `inputs` is a file of as many
// sets of values one after the other, taken in turns. Warms up for a quarter of the time. Prints
// {"p50Ns":…,"runs":…}.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "ort_abi.h"

namespace {

using archwright::OrtFunctions;
using Clock = std::chrono::steady_clock;

OrtFunctions ort;

void fail(const char* message) {
  std::fprintf(stderr, "loop: %s\n", message);
  std::exit(1);
}

void check(OrtStatus* status) {
  if (status != nullptr) fail(ort.GetErrorMessage(status));
}

std::vector<char> readFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void open(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) fail(dlerror());
  using GetApiBase = const archwright::OrtApiBase* (*)();
  const auto getBase = reinterpret_cast<GetApiBase>(dlsym(library, "OrtGetApiBase"));
  if (getBase == nullptr) fail("no OrtGetApiBase");
  ort = archwright::readOrtFunctions(getBase()->getApi(archwright::kOrtApiVersion));
}

OrtSession* createSession(const std::vector<char>& model, int threads) {
  OrtEnv* env = nullptr;
  check(ort.CreateEnv(archwright::kOrtLoggingError, "loop", &env));
  OrtSessionOptions* options = nullptr;
  check(ort.CreateSessionOptions(&options));
  check(ort.SetIntraOpNumThreads(options, threads));
  check(ort.SetInterOpNumThreads(options, 1));
  check(ort.SetSessionGraphOptimizationLevel(options, 99));
  OrtSession* session = nullptr;
  check(ort.CreateSessionFromArray(env, model.data(), model.size(), options, &session));
  return session;
}

// A tensor for the first input or output, in ONNX Runtime's own memory.
template <class GetType>
OrtValue* createTensor(OrtSession* session, OrtAllocator* allocator, GetType getType,
                       size_t* count) {
  OrtTypeInfo* type = nullptr;
  check(getType(session, 0, &type));
  const OrtTensorTypeAndShapeInfo* info = nullptr;
  check(ort.CastTypeInfoToTensorInfo(type, &info));
  size_t rank = 0;
  check(ort.GetDimensionsCount(info, &rank));
  std::vector<int64_t> dims(rank);
  check(ort.GetDimensions(info, dims.data(), rank));
  *count = 1;
  for (const int64_t dim : dims) *count *= static_cast<size_t>(dim);
  OrtValue* value = nullptr;
  check(ort.CreateTensorAsOrtValue(allocator, dims.data(), rank, /*float32*/ 1, &value));
  return value;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 7) fail("expected <libonnxruntime> <model> <inputs> <sets> <threads> <seconds>");
  setenv("ORT_DISABLE_TELEMETRY", "1", /*overwrite=*/0);
  open(arguments[1]);
  const std::vector<char> inputs = readFile(arguments[3]);
  const size_t sets = std::strtoul(arguments[4], nullptr, 10);
  OrtSession* session = createSession(readFile(arguments[2]), std::atoi(arguments[5]));
  const std::chrono::duration<double> length(std::atof(arguments[6]));

  OrtAllocator* allocator = nullptr;
  check(ort.GetAllocatorWithDefaultOptions(&allocator));
  char* inputName = nullptr;
  char* outputName = nullptr;
  check(ort.SessionGetInputName(session, 0, allocator, &inputName));
  check(ort.SessionGetOutputName(session, 0, allocator, &outputName));
  size_t elements = 0;
  OrtValue* output = createTensor(session, allocator, ort.SessionGetOutputTypeInfo, &elements);
  std::vector<OrtIoBinding*> bindings(sets);
  for (size_t set = 0; set < sets; ++set) {
    OrtValue* input = createTensor(session, allocator, ort.SessionGetInputTypeInfo, &elements);
    if (inputs.size() != sets * elements * sizeof(float)) fail("inputs of another size");
    float* data = nullptr;
    check(ort.GetTensorMutableData(input, reinterpret_cast<void**>(&data)));
    const auto* values = reinterpret_cast<const float*>(inputs.data()) + set * elements;
    std::copy(values, values + elements, data);
    check(ort.CreateIoBinding(session, &bindings[set]));
    check(ort.BindInput(bindings[set], inputName, input));
    check(ort.BindOutput(bindings[set], outputName, output));
  }

  const Clock::time_point start = Clock::now();
  std::vector<double> samples;
  samples.reserve(1 << 20);
  for (size_t run = 0;; ++run) {
    const Clock::time_point before = Clock::now();
    check(ort.RunWithBinding(session, nullptr, bindings[run % sets]));
    const Clock::time_point after = Clock::now();
    if (before - start > length / 4) {
      samples.push_back(std::chrono::duration<double, std::nano>(after - before).count());
    }
    if (after - start > length && !samples.empty()) break;
  }
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::nth_element(samples.begin(), middle, samples.end());
  std::printf("{\"p50Ns\":%.1f,\"runs\":%zu}\n", *middle, samples.size());
}
