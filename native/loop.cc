// A state tensor in place is read and written where the caller has it. Any other has two buffers: even
// steps read the first and write the second, odd steps the other way round. Both ways are bound once,
// so a step copies no state. The batch is gathered and
// augmented on the loop's own thread: that is 1 to 2 % of a LeNet step (40 to 135 µs of 5 to 6 ms, see
// benchmarks/results/data-path.md), and a second thread would take its core from the step.
#include "loop.h"

#include <array>
#include <cmath>

#include "host.h"

namespace archwright {
namespace {

// Everything that the steps are bound to.
struct Buffers {
  // One in place is the same twice over.
  std::array<std::vector<ValuePtr>, 2> states;
  std::vector<ValuePtr> records;
  std::array<IoBindingPtr, 2> bindings;
};

Buffers createBuffers(const Session& session, const LoopRequest& request,
                      const BatchInputs& inputs) {
  Buffers buffers;
  const MemoryInfoPtr memory = createCpuMemoryInfo();
  for (const StateSpec& state : request.states) {
    const bool inPlace = state.inPlace;
    for (auto& values : buffers.states) {
      const bool isFirst = &values == &buffers.states[0];
      values.push_back(inPlace   ? wrapTensor(state.value, memory.get())
                       : isFirst ? copyTensor(state.value)
                                 : createTensor(state.value.type, state.value.dims));
    }
  }
  for (size_t i = 0; i < request.record.size(); ++i) {
    buffers.records.push_back(createTensor(kFloat32, {}));
  }
  for (size_t parity = 0; parity < 2; ++parity) {
    IoBindingPtr binding = createBinding(session.get());
    for (size_t i = 0; i < request.states.size(); ++i) {
      bindInput(binding, request.states[i].value.name, buffers.states[parity][i]);
      bindOutput(binding, request.states[i].next, buffers.states[1 - parity][i]);
    }
    inputs.bind(binding);
    for (size_t i = 0; i < request.record.size(); ++i) {
      bindOutput(binding, request.record[i], buffers.records[i]);
    }
    buffers.bindings[parity] = std::move(binding);
  }
  return buffers;
}

}  // namespace

LoopResult runLoop(const Session& session, const LoopRequest& request) {
  LoopResult result;
  result.recorded.resize(request.record.size());
  BatchInputs inputs(request.inputs);
  Buffers buffers = createBuffers(session, request, inputs);
  const double start = monotonicNs();
  double last = start;
  size_t step = 0;
  while (step < request.steps && !result.hitLimit) {
    inputs.fill(step);
    result.inputNs += monotonicNs() - last;
    check(ort().RunWithBinding(session.get(), nullptr, buffers.bindings[step % 2].get()));
    for (size_t i = 0; i < request.record.size(); ++i) {
      result.recorded[i].push_back(*tensorData<float>(buffers.records[i].get()));
    }
    if (request.limit && !request.record.empty()) {
      const float watched = result.recorded[0].back();
      result.hitLimit = !std::isfinite(watched) || watched > *request.limit;
    }
    const double now = monotonicNs();
    result.stepNs.push_back(now - last);
    last = now;
    ++step;
  }
  result.steps = step;
  result.wallNs = last - start;
  for (size_t i = 0; i < request.states.size(); ++i) {
    if (!request.states[i].inPlace) result.states.push_back(std::move(buffers.states[step % 2][i]));
  }
  return result;
}

}  // namespace archwright
