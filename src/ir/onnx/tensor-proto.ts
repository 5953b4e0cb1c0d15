/**
 * Tensors of ONNX files. Written always as `raw_data`; read from `raw_data` or from the typed field
 * that onnx.proto assigns to the element type.
 */
import { UsageError } from '../../errors.js';
import {
  createTensorData,
  decodeTensorData,
  type ElementType,
  elementBytes,
  elementCount,
  encodeTensorData,
  type HostTensor,
  type TensorData,
  tensorBytes,
} from '../../util/tensor.js';
import { elementCodes, elementTypeOf } from '../element-codes.js';
import {
  bigintOf,
  describeDataType,
  type Int64,
  int64Of,
  numberOf,
  proto,
  type TensorProto,
} from './proto.js';

/** Decodes a tensor; `where` names it in messages. Throws `UsageError` for what is not supported. */
export function decodeTensor(tensor: TensorProto, where: string): HostTensor {
  const external = proto.TensorProto.DataLocation.EXTERNAL;
  if (tensor.dataLocation === external || (tensor.externalData?.length ?? 0) > 0) {
    throw new UsageError(
      `${where}: expected data inside the file, received external data, which is not supported ` +
        'yet; save the model as one file',
    );
  }
  const dtype = decodeElementType(tensor.dataType ?? 0, where);
  const dims = (tensor.dims ?? []).map((dim) => numberOf(dim as Int64));
  const count = elementCount(dims);
  const raw = tensor.rawData;
  if (raw !== null && raw !== undefined && raw.length > 0) {
    const expected = tensorBytes(dtype, dims);
    if (raw.length !== expected) {
      throw new UsageError(
        `${where}: ${dtype}[${dims}] expected ${expected} bytes, received ${raw.length}`,
      );
    }
    return { dtype, dims, data: decodeTensorData(dtype, raw, count) };
  }
  const values = typedField(tensor, dtype);
  if (elementBytes[dtype] < 1 && values.length === tensorBytes(dtype, dims)) {
    const packed = Uint8Array.from(values, (value) => numberOf(value) & 0xff);
    return { dtype, dims, data: decodeTensorData(dtype, packed, count) };
  }
  if (values.length !== count) {
    throw new UsageError(
      `${where}: ${dtype}[${dims}] expected ${count} elements, received ${values.length}`,
    );
  }
  return { dtype, dims, data: fill(dtype, values) };
}

/** Encodes a tensor, named when it is an initializer. */
export function encodeTensor(tensor: HostTensor, name?: string): TensorProto {
  return {
    dims: tensor.dims.map((dim) => int64Of(dim, `dims of tensor ${name ?? ''}`) as number),
    dataType: elementCodes[tensor.dtype],
    rawData: encodeTensorData(tensor),
    ...(name === undefined ? {} : { name }),
  };
}

/** The element type of a `TensorProto.DataType`, or a `UsageError` that names it. */
export function decodeElementType(dataType: number, where: string): ElementType {
  const dtype = elementTypeOf(dataType);
  if (dtype !== undefined) return dtype;
  const known = Object.keys(elementCodes).join(', ');
  throw new UsageError(
    `${where}: expected an element type of ${known}; received ${describeDataType(dataType)}`,
  );
}

/** The repeated field that holds elements of this type when `raw_data` does not. */
function typedField(tensor: TensorProto, dtype: ElementType): readonly Int64[] {
  switch (dtype) {
    case 'float32':
      return tensor.floatData ?? [];
    case 'float64':
      return tensor.doubleData ?? [];
    case 'int64':
      return (tensor.int64Data ?? []) as Int64[];
    case 'uint32':
    case 'uint64':
      return (tensor.uint64Data ?? []) as Int64[];
    default:
      return tensor.int32Data ?? [];
  }
}

function fill(dtype: ElementType, values: readonly Int64[]): TensorData {
  const data = createTensorData(dtype, values.length);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    values.forEach((value, i) => {
      data[i] = bigintOf(value);
    });
  } else {
    values.forEach((value, i) => {
      data[i] = numberOf(value);
    });
  }
  return data;
}
