// A loaded model: creation, description, one run, arena statistics. No N-API.
#pragma once

#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "custom_ops.h"
#include "ort.h"
#include "provider.h"

namespace archwright {

struct SessionConfig {
  int threads;
  int optimizationLevel;
  std::string provider;
  StringPairs providerOptions;
  StringPairs entries;
  bool arena;
  bool memoryPattern;
  std::string profilePrefix;       // empty: no profiling
  std::string optimizedModelPath;  // empty: none is written
};

struct SessionValue {
  std::string name;
  ElementType type;
  Dims dims;  // −1: symbolic or unknown
};

struct ArenaStats {
  double inUseBytes = 0;
  double maxInUseBytes = 0;
  double totalAllocatedBytes = 0;
  double allocations = 0;
};

class Session {
 public:
  // Throws std::runtime_error with ONNX Runtime's message, or if an input or output is not a dense
  // tensor of numbers.
  Session(const void* model, size_t bytes, const SessionConfig& config);

  OrtSession* get() const { return session_.get(); }
  const std::vector<SessionValue>& inputs() const { return inputs_; }
  const std::vector<SessionValue>& outputs() const { return outputs_; }
  double loadNs() const { return loadNs_; }
  // Safe from several threads at once.
  std::vector<ValuePtr> run(const std::vector<BorrowedTensor>& feeds,
                            const std::vector<std::string>& outputs) const;
  // Of the host's arena, or of the memory where the provider keeps inputs (outputs, if the model has
  // no inputs).
  ArenaStats arenaStats(bool ofDevice) const;
  AllocatorPtr createAllocator(const OrtMemoryInfo* memory) const;
  // The path of the file. Throws std::runtime_error if there is no profiling.
  std::string endProfiling();
  const SessionConfig& config() const { return config_; }
  // For those who run a session whose provider bears only one caller at a time.
  std::mutex& exclusive() { return exclusive_; }

 private:
  // `customOps_` goes after `session_`, which uses it.
  std::unique_ptr<CustomOps> customOps_;
  SessionPtr session_;
  std::vector<SessionValue> inputs_;
  std::vector<SessionValue> outputs_;
  SessionConfig config_;
  std::mutex exclusive_;
  double loadNs_;
};

}  // namespace archwright
