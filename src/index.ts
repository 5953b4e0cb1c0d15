/** Archwright as a library: everything that the command line does is a function. */

export { type BenchDocument, bench } from './cli/command/bench.js';
export { type CompareDocument, compare } from './cli/command/compare.js';
export { type ExportDocument, exportModel, exportTrial } from './cli/command/export.js';
export { type ProfileDocument, profile } from './cli/command/profile.js';
export {
  type FinishedSearch,
  resume,
  type SearchRequest,
  search,
  show,
  VERSION,
  type Watcher,
} from './cli/compose.js';
export { loadConfig, parseConfig } from './cli/config.js';
export type { Config, ConfigInput } from './cli/config-schema.js';
export { type TrainDocument, type TrainOptions, trainModel } from './cli/train-model.js';
export { type DataSpec, type Dataset, loadDataset } from './data/data.js';
export { type ConvertOptions, convertToFloat16, quantizeModel } from './deploy/convert.js';
export { type Examination, examineModel } from './deploy/examine.js';
export type { ImageData } from './deploy/trial-inputs.js';
export { measureVariants, type VariantReport } from './deploy/variants.js';
export { type CudaListing, describeCuda } from './device/cuda.js';
export type { Device, DeviceFacts, DeviceListing } from './device/device.js';
export { createDevice, type DeviceOptions } from './device/ort.js';
export { checkUsable, listDevices } from './device/probe.js';
export { ArchwrightError, InternalError, UsageError } from './errors.js';
export { GraphBuilder } from './ir/builder.js';
export { type GraphCost, inferCost } from './ir/cost.js';
export type { Attribute, Graph, Initializer, Node, ValueInfo } from './ir/graph.js';
export { hashGraph } from './ir/hash.js';
export { inferTypes } from './ir/infer.js';
export { decodeModel } from './ir/onnx/decode.js';
export { encodeModel } from './ir/onnx/encode.js';
export { parseGraph } from './ir/text/parse.js';
export { printGraph } from './ir/text/print.js';
export { verify } from './ir/verify.js';
export { type CompareOptions, type Comparison, compareModels } from './measure/compare.js';
export { type Measurement, measureModel } from './measure/measure.js';
export {
  type ModelProfile,
  type Profiled,
  type ProfileOptions,
  profileModel,
} from './measure/profile.js';
export { type Peak, type Roofline, ridgePoint } from './measure/roofline.js';
export { measureDeviceRoofline } from './measure/roofline-task.js';
export type { RunSummary } from './search/summary.js';
export { createCellSpace } from './space/cell.js';
export { createConvSpace } from './space/conv.js';
export type { Space, TaskShape } from './space/space.js';
export { Rng } from './util/random.js';
