// Each state tensor has two buffers. Even steps read the first and write the second, odd steps the
// other way round; both ways are bound once, so a step copies no state. The batch is gathered on
// the loop's own thread: it costs microseconds beside a step's milliseconds, and a second thread
// would take its core from the step.
#include "loop.h"

#include <array>
#include <cmath>

#include "cpu/gather_rows.h"
#include "host.h"

namespace archwright {
namespace {

size_t elementCount(const Dims& dims) {
  size_t count = 1;
  for (const int64_t dim : dims) count *= static_cast<size_t>(dim);
  return count;
}

template <class From>
void fillFrom(const StreamSpec& stream, const uint32_t* rows, size_t batch, OrtValue* target) {
  const auto* source = static_cast<const From*>(stream.source);
  const size_t rowLength = elementCount(stream.rowDims);
  if (stream.type == kInt64) {
    gatherRows(source, rows, batch, rowLength, tensorData<int64_t>(target));
  } else if (stream.scale.empty()) {
    gatherRows(source, rows, batch, rowLength, tensorData<float>(target));
  } else {
    const size_t channels = stream.scale.size();
    gatherScaledRows(source, rows, batch, channels, rowLength / channels, stream.scale.data(),
                     stream.shift.data(), tensorData<float>(target));
  }
}

void fill(const StreamSpec& stream, const uint32_t* rows, size_t batch, OrtValue* target) {
  switch (stream.sourceType) {
    case kUint8:
      return fillFrom<uint8_t>(stream, rows, batch, target);
    case kInt32:
      return fillFrom<int32_t>(stream, rows, batch, target);
    default:
      return fillFrom<float>(stream, rows, batch, target);
  }
}

// Everything that the steps are bound to.
struct Buffers {
  std::array<std::vector<ValuePtr>, 2> states;
  std::vector<ValuePtr> streams;
  std::vector<ValuePtr> scalars;
  std::vector<ValuePtr> records;
  std::array<IoBindingPtr, 2> bindings;
};

Buffers createBuffers(const Session& session, const LoopRequest& request) {
  Buffers buffers;
  for (const StateSpec& state : request.states) {
    buffers.states[0].push_back(copyTensor(state.value));
    buffers.states[1].push_back(createTensor(state.value.type, state.value.dims));
  }
  for (const StreamSpec& stream : request.streams) {
    Dims dims = stream.rowDims;
    dims.insert(dims.begin(), static_cast<int64_t>(request.batch));
    buffers.streams.push_back(createTensor(stream.type, dims));
  }
  for (size_t i = 0; i < request.scalars.size(); ++i) {
    buffers.scalars.push_back(createTensor(kFloat32, {}));
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
    for (size_t i = 0; i < request.streams.size(); ++i) {
      bindInput(binding, request.streams[i].name, buffers.streams[i]);
    }
    for (size_t i = 0; i < request.scalars.size(); ++i) {
      bindInput(binding, request.scalars[i].name, buffers.scalars[i]);
    }
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
  Buffers buffers = createBuffers(session, request);
  const double start = monotonicNs();
  double last = start;
  size_t step = 0;
  while (step < request.steps && !result.hitLimit) {
    const uint32_t* rows = request.order + step * request.batch;
    for (size_t i = 0; i < request.streams.size(); ++i) {
      fill(request.streams[i], rows, request.batch, buffers.streams[i].get());
    }
    for (size_t i = 0; i < request.scalars.size(); ++i) {
      *tensorData<float>(buffers.scalars[i].get()) = request.scalars[i].values[step];
    }
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
  result.states = std::move(buffers.states[step % 2]);
  return result;
}

}  // namespace archwright
