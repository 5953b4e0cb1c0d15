// Where a session's provider keeps inputs and outputs: tensors there, waiting for it, and reading
// from it. No N-API.
//
// What ONNX Runtime 1.30 does (tried on WebGPU; its CPU and CUDA code says the same):
// - `BindInput` copies a host tensor to where the session needs it, then and there; a later
//   `RunWithBinding` copies nothing. So an input that is to travel with every run is bound anew for
//   every run, and one that is to stay is bound once.
// - An output that is bound to a host tensor is copied back within `RunWithBinding`.
// - With all outputs on the device, `RunWithBinding` of WebGPU returns when the work is queued, and
//   `SynchronizeBoundOutputs` does not wait for it either. Reading four bytes back does, as the
//   queue keeps its order; a sample then holds that read as well. CUDA's `RunWithBinding` waits by
//   itself.
#pragma once

#include <vector>

#include "session.h"

namespace archwright {

struct Placement {
  bool inputsOnDevice;
  bool outputsOnDevice;
};

class Device {
 public:
  explicit Device(const Session& session);

  // Whether the session needs input `i` (or gives output `i`) elsewhere than in the host's memory.
  bool keepsInput(size_t i) const { return isDeviceMemory(inputs_.at(i)); }
  bool keepsOutput(size_t i) const { return isDeviceMemory(outputs_.at(i)); }
  // A new tensor where the provider leaves output `i`; its contents are undefined.
  ValuePtr createOutput(size_t i, const TensorInfo& info) const;
  // Whether copies to and from the device must not meet a run of the same session on another
  // thread. (WebGPU: ONNX Runtime lets its runs wait for each other, but not the copies beside them.)
  bool isExclusive() const { return probe_ != nullptr; }
  // Returns when everything that runs of this session have queued is done.
  void wait(OrtIoBinding* binding) const;

 private:
  std::vector<const OrtMemoryInfo*> inputs_;  // owned by the session
  std::vector<const OrtMemoryInfo*> outputs_;
  AllocatorPtr allocator_;  // of the first output on the device, if there is one
  ValuePtr probe_;          // four bytes on a device whose `SynchronizeBoundOutputs` does not wait
  ValuePtr landing_;        // where they are read to
};

// A copy in the host's memory of a tensor anywhere, through a model of one Identity on the same
// provider: ONNX Runtime's `CopyTensors` knows only devices that came as plug-ins, and WebGPU.
ValuePtr readBack(const Session& session, const OrtValue* value);

}  // namespace archwright
