#include "timer.h"

#include <algorithm>

#include "host.h"

namespace archwright {

Timer::Timer(std::shared_ptr<Session> session,
             const std::vector<std::vector<BorrowedTensor>>& inputSets)
    : session_(std::move(session)) {
  std::vector<std::string> names;
  for (const SessionValue& output : session_->outputs()) names.push_back(output.name);
  const double start = monotonicNs();
  const std::vector<ValuePtr> first = session_->run(inputSets.at(0), names);
  firstRunNs_ = monotonicNs() - start;
  for (const ValuePtr& value : first) {
    const TensorInfo info = tensorInfo(value.get());
    outputs_.push_back(createTensor(info.type, info.dims));
  }
  for (const std::vector<BorrowedTensor>& set : inputSets) {
    IoBindingPtr binding = createBinding(session_->get());
    std::vector<ValuePtr> values;
    for (const BorrowedTensor& tensor : set) {
      values.push_back(copyTensor(tensor));
      bindInput(binding, tensor.name, values.back());
    }
    for (size_t i = 0; i < names.size(); ++i) bindOutput(binding, names[i], outputs_[i]);
    inputs_.push_back(std::move(values));
    bindings_.push_back(std::move(binding));
  }
  // So that `outputs` is never uninitialised memory.
  check(ort().RunWithBinding(session_->get(), nullptr, bindings_[0].get()));
}

TimingWindow Timer::run(size_t samples, size_t group) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto runWithBinding = ort().RunWithBinding;
  OrtSession* const session = session_->get();
  const size_t sets = bindings_.size();
  size_t set = nextSet_;
  std::vector<uint64_t> stamps(samples + 1);

  const CpuCounters before = readCpuCounters();
  stamps[0] = monotonicTicksNs();
  for (size_t s = 1; s <= samples; ++s) {
    for (size_t g = 0; g < group; ++g) {
      if (OrtStatus* status = runWithBinding(session, nullptr, bindings_[set].get())) check(status);
      if (++set == sets) set = 0;
    }
    stamps[s] = monotonicTicksNs();
  }
  const CpuCounters after = readCpuCounters();

  nextSet_ = set;
  lastSet_ = set == 0 ? sets - 1 : set - 1;
  TimingWindow window;
  window.samplesNs.reserve(samples);
  for (size_t s = 1; s <= samples; ++s) {
    window.samplesNs.push_back(static_cast<double>(stamps[s] - stamps[s - 1]) /
                               static_cast<double>(group));
  }
  window.wallNs = static_cast<double>(stamps[samples] - stamps[0]);
  window.involuntarySwitches = after.involuntarySwitches - before.involuntarySwitches;
  window.stealNs = after.stealNs - before.stealNs;
  const double own = after.processNs - before.processNs;
  window.otherCpuNs = std::max(0.0, after.busyNs - before.busyNs - own);
  return window;
}

}  // namespace archwright
