#include "timer.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <thread>

#include "clock_pair.h"
#include "cpu/counter.h"
#include "host.h"

namespace archwright {
namespace {

constexpr size_t kCacheLine = 64;

}  // namespace

Timer::Timer(std::shared_ptr<Session> session,
             const std::vector<std::vector<BorrowedTensor>>& inputSets, Placement placement)
    : session_(std::move(session)), device_(*session_) {
  std::vector<std::string> names;
  for (const SessionValue& output : session_->outputs()) names.push_back(output.name);
  const double start = monotonicNs();
  const std::vector<ValuePtr> first = session_->run(inputSets.at(0), names);
  firstRunNs_ = monotonicNs() - start;
  for (size_t i = 0; i < first.size(); ++i) {
    const TensorInfo info = tensorInfo(first[i].get());
    const bool stays = placement.outputsOnDevice && device_.keepsOutput(i);
    outputs_.push_back(stays ? device_.createOutput(i, info) : createTensor(info.type, info.dims));
    stays_.push_back(stays);
    landed_.push_back(nullptr);
    waits_ = waits_ || stays;
  }
  for (size_t i = 0; i < session_->inputs().size(); ++i) {
    if (!placement.inputsOnDevice && device_.keepsInput(i)) {
      travelling_.push_back(session_->inputs()[i].name);
    }
  }
  for (const std::vector<BorrowedTensor>& set : inputSets) {
    IoBindingPtr binding = createBinding(session_->get());
    std::vector<ValuePtr> values;
    std::vector<const OrtValue*> travellers(travelling_.size());
    for (const BorrowedTensor& tensor : set) {
      values.push_back(copyTensor(tensor));
      bindInput(binding, tensor.name, values.back());
      const auto found = std::find(travelling_.begin(), travelling_.end(), tensor.name);
      if (found != travelling_.end()) {
        travellers[static_cast<size_t>(found - travelling_.begin())] = values.back().get();
      }
    }
    for (size_t i = 0; i < names.size(); ++i) bindOutput(binding, names[i], outputs_[i]);
    inputs_.push_back(std::move(values));
    bindings_.push_back(std::move(binding));
    travellers_.push_back(std::move(travellers));
  }
  // So that the outputs are never uninitialised memory.
  enqueue();
  wait();
  nextSet_ = 0;
}

void Timer::enqueue() {
  OrtIoBinding* const binding = bindings_[nextSet_].get();
  const std::vector<const OrtValue*>& travellers = travellers_[nextSet_];
  for (size_t i = 0; i < travellers.size(); ++i) {
    check(ort().BindInput(binding, travelling_[i].c_str(), travellers[i]));
  }
  check(ort().RunWithBinding(session_->get(), nullptr, binding));
  lastSet_ = nextSet_;
  if (++nextSet_ == bindings_.size()) nextSet_ = 0;
}

TimingWindow Timer::run(const TimingPlan& plan) {
  const std::lock_guard<std::mutex> lock(mutex_);
  TimingWindow window;
  const CpuCounters before = readCpuCounters();
  const ClockPair start = readClockPair();
  if (waits_ || plan.flushBytes > 0 || plan.intervalNs > 0) {
    runSpaced(plan, window);
  } else {
    runSamples(plan, window);
  }
  const ClockPair end = readClockPair();
  const CpuCounters after = readCpuCounters();
  window.coreMhz = kernels::measureCoreMhz();

  const auto runs = static_cast<double>(plan.group);
  for (double& sample : window.samplesNs) sample /= runs;
  for (double& sample : window.enqueueNs) sample /= runs;
  window.wallNs = static_cast<double>(end.ns - start.ns);
  window.counterTicks = static_cast<double>(end.ticks - start.ticks);
  window.involuntarySwitches = after.involuntarySwitches - before.involuntarySwitches;
  window.stealNs = after.stealNs - before.stealNs;
  const double own = after.processNs - before.processNs;
  window.otherCpuNs = std::max(0.0, after.busyNs - before.busyNs - own);
  return window;
}

void Timer::runSamples(const TimingPlan& plan, TimingWindow& window) {
  std::vector<uint64_t> stamps(plan.samples + 1);
  stamps[0] = monotonicTicksNs();
  for (size_t s = 1; s <= plan.samples; ++s) {
    for (size_t g = 0; g < plan.group; ++g) enqueue();
    stamps[s] = monotonicTicksNs();
  }
  window.samplesNs.reserve(plan.samples);
  for (size_t s = 1; s <= plan.samples; ++s) {
    window.samplesNs.push_back(static_cast<double>(stamps[s] - stamps[s - 1]));
  }
  window.enqueueNs = window.samplesNs;
}

void Timer::runSpaced(const TimingPlan& plan, TimingWindow& window) {
  window.samplesNs.reserve(plan.samples);
  window.enqueueNs.reserve(plan.samples);
  auto due = std::chrono::steady_clock::now();
  for (size_t s = 0; s < plan.samples; ++s) {
    if (plan.flushBytes > 0) flush(plan.flushBytes);
    if (plan.intervalNs > 0) {
      std::this_thread::sleep_until(due);
      due = std::max(due, std::chrono::steady_clock::now() - std::chrono::milliseconds(1)) +
            std::chrono::nanoseconds(plan.intervalNs);
    }
    const uint64_t start = monotonicTicksNs();
    for (size_t g = 0; g < plan.group; ++g) enqueue();
    const uint64_t queued = monotonicTicksNs();
    wait();
    const uint64_t end = waits_ ? monotonicTicksNs() : queued;
    window.enqueueNs.push_back(static_cast<double>(queued - start));
    window.samplesNs.push_back(static_cast<double>(end - start));
  }
}

void Timer::flush(size_t bytes) {
  if (flushed_.size() != bytes) flushed_.assign(bytes, 0);
  volatile char* const data = flushed_.data();
  for (size_t i = 0; i < bytes; i += kCacheLine) data[i] = static_cast<char>(data[i] + 1);
}

std::vector<double> Timer::runUntil(uint64_t endNs) {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<double> samples;
  uint64_t before = monotonicTicksNs();
  do {
    {
      std::unique_lock<std::mutex> exclusive(session_->exclusive(), std::defer_lock);
      if (device_.isExclusive()) exclusive.lock();
      enqueue();
      wait();
    }
    const uint64_t after = monotonicTicksNs();
    samples.push_back(static_cast<double>(after - before));
    before = after;
  } while (before < endNs);
  return samples;
}

std::vector<OrtValue*> Timer::readOutputs() {
  std::vector<OrtValue*> values;
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (stays_[i]) landed_[i] = readBack(*session_, outputs_[i].get());
    values.push_back((stays_[i] ? landed_[i] : outputs_[i]).get());
  }
  return values;
}

ConcurrentRuns runTimersTogether(const std::vector<std::shared_ptr<Timer>>& timers,
                                 uint64_t durationNs) {
  ConcurrentRuns runs;
  runs.samplesNs.resize(timers.size());
  std::vector<std::exception_ptr> failures(timers.size());
  // Threads are started before the clock is, and all wait for the same moment.
  const uint64_t start = monotonicTicksNs() + 1'000'000;
  std::vector<std::thread> threads;
  for (size_t i = 0; i < timers.size(); ++i) {
    threads.emplace_back([&, i] {
      try {
        while (monotonicTicksNs() < start) std::this_thread::yield();
        runs.samplesNs[i] = timers[i]->runUntil(start + durationNs);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure != nullptr) std::rethrow_exception(failure);
  }
  runs.wallNs = static_cast<double>(monotonicTicksNs() - start);
  return runs;
}

}  // namespace archwright
