/**
 * Running models: sessions over the native addon, and the supervised process that they belong in.
 * Bytes and typed arrays in and out, never a Graph.
 */
export { findRuntimeLibrary, loadBinding, loadHost } from './binding.js';
export type {
  AllocatorStats,
  ConcurrentRuns,
  ElementType,
  HostFacts,
  HostTensor,
  LockHandle,
  LoopRequest,
  LoopResult,
  MemoryUse,
  PeakKind,
  Placement,
  SessionOptions,
  SessionValue,
  StateTensor,
  StreamInput,
  TensorData,
  TimingPlan,
  TimingWindow,
} from './binding-types.js';
export {
  type CudaAbsence,
  type CudaKernel,
  type CudaLibrary,
  type CudaQuantity,
  cudaKernels,
  cudaTolerance,
  openCuda,
  type ProductSize,
} from './cuda.js';
export type { CudaFacts, CudaState } from './cuda-binding.js';
export { type CallOptions, Runner, type RunnerOptions } from './runner.js';
export {
  RunnerError,
  type RunnerFailure,
  type Task,
  type TaskContext,
  TaskError,
} from './runner-protocol.js';
export { type Feeds, Session, Timer } from './session.js';
