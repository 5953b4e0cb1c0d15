// The timing loop: input sets and outputs bound once to preallocated buffers, then nothing but
// `RunWithBinding` and the clock. No N-API.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "placement.h"
#include "session.h"

namespace archwright {

struct TimingPlan {
  size_t samples;
  size_t group;
  size_t flushBytes;    // overwritten before each sample; 0: nothing is
  uint64_t intervalNs;  // from the begin of a sample to that of the next; 0: at once
};

struct TimingWindow {
  std::vector<double> samplesNs;
  std::vector<double> enqueueNs;
  double wallNs;
  double involuntarySwitches;
  double stealNs;
  double otherCpuNs;
  double counterTicks;
  double coreMhz;
};

struct ConcurrentRuns {
  std::vector<std::vector<double>> samplesNs;  // per timer
  double wallNs;
};

class Timer {
 public:
  // Copies the input sets and runs the first one once, to learn the outputs' dims.
  // Throws std::runtime_error if ONNX Runtime refuses an input.
  Timer(std::shared_ptr<Session> session, const std::vector<std::vector<BorrowedTensor>>& inputSets,
        Placement placement);

  // One window at a time; a second caller waits.
  TimingWindow run(const TimingPlan& plan);
  // Runs until the clock passes `endNs`, once at least; each run's time.
  std::vector<double> runUntil(uint64_t endNs);

  double firstRunNs() const { return firstRunNs_; }
  const Session& session() const { return *session_; }
  // The input set of the last run, and what it left as outputs, in the host's memory: the timer's
  // own, good until its next call.
  size_t lastSet() const { return lastSet_; }
  std::vector<OrtValue*> readOutputs();

 private:
  // One run of the next input set; without waiting for outputs that stay on the device.
  void enqueue();
  void wait() const {
    if (waits_) device_.wait(bindings_[lastSet_].get());
  }
  // The loop that short models are timed in: `enqueue` and the clock, nothing else.
  void runSamples(const TimingPlan& plan, TimingWindow& window);
  void runSpaced(const TimingPlan& plan, TimingWindow& window);
  void flush(size_t bytes);

  std::shared_ptr<Session> session_;
  Device device_;
  std::vector<std::vector<ValuePtr>> inputs_;
  std::vector<ValuePtr> outputs_;
  std::vector<IoBindingPtr> bindings_;  // one per input set
  std::vector<std::string> travelling_;  // inputs that are copied to the device with every run …
  std::vector<std::vector<const OrtValue*>> travellers_;  // … and their tensors, per input set
  std::vector<bool> stays_;       // whether an output stays on the device …
  std::vector<ValuePtr> landed_;  // … and where it was read back to
  bool waits_ = false;            // some output stays
  std::vector<char> flushed_;
  std::mutex mutex_;
  size_t nextSet_ = 0;
  size_t lastSet_ = 0;
  double firstRunNs_ = 0;
};

// Runs the timers side by side, a thread each, until `durationNs` are over.
ConcurrentRuns runTimersTogether(const std::vector<std::shared_ptr<Timer>>& timers,
                                 uint64_t durationNs);

}  // namespace archwright
