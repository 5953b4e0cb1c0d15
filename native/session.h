// A loaded model: creation, description, one run, arena statistics. No N-API.
#pragma once

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
  ArenaStats arenaStats() const;

 private:
  // `customOps_` goes after `session_`, which uses it.
  std::unique_ptr<CustomOps> customOps_;
  SessionPtr session_;
  std::vector<SessionValue> inputs_;
  std::vector<SessionValue> outputs_;
  double loadNs_;
  bool arena_;
};

}  // namespace archwright
