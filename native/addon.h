// The addon's reference: every function that JavaScript can call. One `Addon` object exists per
// JavaScript environment (main thread or worker thread); it is that environment's only state.
// Types are those of `src/runtime/binding-types.ts`; JavaScript validates arguments before it calls.
//
// [sync] blocks the JavaScript thread; [async] returns a promise and works on a libuv thread, while
// the typed arrays that were passed must be neither detached nor written.
// Every function throws (or rejects with) an Error that carries ONNX Runtime's message.
#pragma once

#include <napi.h>

namespace archwright {

class Addon : public Napi::Addon<Addon> {
 public:
  Addon(Napi::Env env, Napi::Object exports);

 private:
  using Info = const Napi::CallbackInfo&;

  // [sync] (path) → undefined. Opens ONNX Runtime, once per process; the others but `tryLock`,
  // `unlock` and the host's need it. Throws: cannot be opened, too old, another path was opened.
  Napi::Value openRuntime(Info info);
  // [sync] () → string.
  Napi::Value runtimeVersion(Info info);
  // [sync] () → string[].
  Napi::Value availableProviders(Info info);

  // [sync] () → HostFacts.
  Napi::Value hostFacts(Info info);
  // [sync] () → MemoryUse.
  Napi::Value memoryUse(Info info);
  // [sync] () → boolean, whether the peak was reset.
  Napi::Value resetPeakMemory(Info info);

  // [async] (kind, threads, repetitions, bytes) → Float64Array of rates, see `kernels/cpu/peak.h`.
  Napi::Value measurePeak(Info info);

  // [async] (bytes, SessionOptions) → SessionHandle. Throws: not a model, unsupported operator,
  // unknown provider, inputs or outputs that are not dense tensors of numbers.
  Napi::Value createSession(Info info);
  // [sync] (SessionHandle) → SessionValue[].
  Napi::Value sessionInputs(Info info);
  // [sync] (SessionHandle) → SessionValue[].
  Napi::Value sessionOutputs(Info info);
  // [sync] (SessionHandle) → number, nanoseconds that parsing and optimising the model took.
  Napi::Value sessionLoadNs(Info info);
  // [sync] (SessionHandle, 'host' | 'device') → AllocatorStats.
  Napi::Value allocatorStats(Info info);
  // [sync] (SessionHandle) → string, path of the profile. Throws: created without `profilePrefix`.
  Napi::Value endProfiling(Info info);
  // [sync] (SessionHandle) → undefined. Work under way and timers keep the model until they end.
  Napi::Value releaseSession(Info info);
  // [async] (SessionHandle, feeds, output names) → HostTensor[].
  Napi::Value run(Info info);

  // [async] (SessionHandle, input sets, Placement) → TimerHandle. Copies the sets; runs the model
  // twice.
  Napi::Value createTimer(Info info);
  // [sync] (TimerHandle) → number, nanoseconds of the timer's first run.
  Napi::Value timerFirstRunNs(Info info);
  // [async] (TimerHandle, TimingPlan) → TimingWindow.
  Napi::Value runTimer(Info info);
  // [async] (TimerHandle[], nanoseconds) → ConcurrentRuns.
  Napi::Value runTimersTogether(Info info);
  // [sync] (TimerHandle) → { inputSet, outputs }, the outputs read back from where they lie. Not
  // while `runTimer` is under way.
  Napi::Value timerOutputs(Info info);
  // [sync] (TimerHandle) → undefined.
  Napi::Value releaseTimer(Info info);

  // [async] (SessionHandle, LoopRequest) → LoopResult.
  Napi::Value runLoop(Info info);

  // [sync] (path) → LockHandle | null, null if the lock is taken. Throws: file cannot be opened.
  Napi::Value tryLock(Info info);
  // [sync] (LockHandle) → undefined.
  Napi::Value unlock(Info info);
};

}  // namespace archwright
