/**
 * External data of ONNX files: tensors whose bytes lie in files beside the model. They are brought
 * into the file, since a graph and a session are made of one piece here. ONNX, "External data": the
 * entries are `location` (a path relative to the model's folder), `offset` and `length`.
 *
 * Limit: one protobuf message holds less than 2 GiB.
 */
import { UsageError } from '../../errors.js';
import { type AttributeProto, type GraphProto, proto, type TensorProto } from './proto.js';

/** Largest message that readers of protobuf accept. */
const MAX_BYTES = 2 ** 31 - 1;

/** Key of every external tensor; a file without it has none and need not be decoded. */
const LOCATION = Buffer.from('location');

/**
 * The model with all tensors inside; the same bytes where there is nothing to bring in. `read` gives
 * the bytes of a file by its location; `file` names the model in messages. Throws `UsageError` for
 * locations that lead out of the model's folder, files that are too short, and models too large.
 */
export function inlineExternalData(
  bytes: Uint8Array,
  read: (location: string) => Uint8Array,
  file: string,
): Uint8Array {
  if (Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf(LOCATION) < 0) return bytes;
  let model: InstanceType<typeof proto.ModelProto>;
  try {
    model = proto.ModelProto.decode(bytes);
  } catch {
    return bytes; // no ONNX file, which `decodeModel` says better
  }
  const tensors = externalTensors(model.graph ?? {});
  if (tensors.length === 0) return bytes;
  let total = bytes.length;
  for (const tensor of tensors) {
    tensor.rawData = readData(tensor, read, file);
    total += tensor.rawData.length;
    tensor.externalData = [];
    tensor.dataLocation = proto.TensorProto.DataLocation.DEFAULT;
    if (total > MAX_BYTES) {
      throw new UsageError(
        `${file}: expected a model of less than 2 GiB with its external data, received more`,
      );
    }
  }
  return proto.ModelProto.encode(model).finish();
}

/** Locations of the files that hold tensors of the model, each once. */
export function externalFilesOf(bytes: Uint8Array): string[] {
  let model: InstanceType<typeof proto.ModelProto>;
  try {
    model = proto.ModelProto.decode(bytes);
  } catch {
    return []; // no ONNX file, which `decodeModel` says better
  }
  const entries = externalTensors(model.graph ?? {}).flatMap((tensor) => tensor.externalData ?? []);
  const locations = entries.flatMap(({ key, value }) =>
    key === 'location' && value ? [value] : [],
  );
  return [...new Set(locations)];
}

function readData(
  tensor: TensorProto,
  read: (location: string) => Uint8Array,
  file: string,
): Uint8Array {
  const entries = new Map((tensor.externalData ?? []).map(({ key, value }) => [key, value ?? '']));
  const location = entries.get('location') ?? '';
  const where = `${file}: tensor ${tensor.name}`;
  if (
    location === '' ||
    /^([/\\]|[a-z]:)/i.test(location) ||
    /(^|[/\\])\.\.([/\\]|$)/.test(location)
  ) {
    throw new UsageError(
      `${where}: expected external data in the model’s folder, received "${location}"`,
    );
  }
  const data = read(location);
  const offset = Number(entries.get('offset') ?? 0);
  const length = Number(entries.get('length') ?? data.length - offset);
  if (!(offset >= 0 && length >= 0 && offset + length <= data.length)) {
    throw new UsageError(
      `${where}: expected ${length} bytes from ${offset} of ${location}, received ${data.length} in all`,
    );
  }
  return data.subarray(offset, offset + length);
}

function externalTensors(graph: GraphProto): TensorProto[] {
  const attributes = (graph.node ?? []).flatMap((node) => node.attribute ?? []);
  return [
    ...(graph.initializer ?? []).filter(isExternal),
    ...attributes.flatMap(externalOfAttribute),
  ];
}

function externalOfAttribute({ t, tensors, g, graphs }: AttributeProto): TensorProto[] {
  const own = [...(t ? [t] : []), ...(tensors ?? [])].filter(isExternal);
  return [...own, ...[...(g ? [g] : []), ...(graphs ?? [])].flatMap(externalTensors)];
}

function isExternal({ dataLocation, externalData }: TensorProto): boolean {
  return (
    dataLocation === proto.TensorProto.DataLocation.EXTERNAL || (externalData?.length ?? 0) > 0
  );
}
