// The timing loop: input sets and outputs bound once to preallocated buffers, then nothing but
// `RunWithBinding` and the clock. No N-API.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "session.h"

namespace archwright {

struct TimingWindow {
  std::vector<double> samplesNs;
  double wallNs;
  double involuntarySwitches;
  double stealNs;
  double otherCpuNs;
};

class Timer {
 public:
  // Copies the input sets and runs the first one once, to learn the outputs' dims.
  // Throws std::runtime_error if ONNX Runtime refuses an input.
  Timer(std::shared_ptr<Session> session, const std::vector<std::vector<BorrowedTensor>>& inputSets);

  // One window at a time; a second caller waits.
  TimingWindow run(size_t samples, size_t group);

  double firstRunNs() const { return firstRunNs_; }
  const Session& session() const { return *session_; }
  // The input set of the last run, and the buffers that it left its outputs in.
  size_t lastSet() const { return lastSet_; }
  const std::vector<ValuePtr>& outputs() const { return outputs_; }

 private:
  std::shared_ptr<Session> session_;
  std::vector<std::vector<ValuePtr>> inputs_;
  std::vector<ValuePtr> outputs_;
  std::vector<IoBindingPtr> bindings_;  // one per input set
  std::mutex mutex_;
  size_t nextSet_ = 0;
  size_t lastSet_ = 0;
  double firstRunNs_ = 0;
};

}  // namespace archwright
