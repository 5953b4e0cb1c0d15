/**
 * NumPy's array files: `\x93NUMPY`, version, length of the header, the header as a Python dictionary,
 * the elements row-major. Source: numpy.lib.format, versions 1.0 to 3.0.
 */
import { UsageError } from '../errors.js';
import type { ElementType, HostTensor } from '../util/tensor.js';
import { decodeTensorData, elementBytes, elementCount } from '../util/tensor.js';

const MAGIC = '\u0093NUMPY';

const elementTypes: Readonly<Record<string, ElementType>> = {
  '<f4': 'float32',
  '<f8': 'float64',
  '|i1': 'int8',
  '<i2': 'int16',
  '<i4': 'int32',
  '<i8': 'int64',
  '|u1': 'uint8',
  '<u2': 'uint16',
  '<u4': 'uint32',
  '|b1': 'bool',
};

/** Decodes `bytes`; `path` only serves the message of the `UsageError` on a malformed file. */
export function decodeNpy(path: string, bytes: Uint8Array): HostTensor {
  const refuse = (wanted: string, received: string): never => {
    throw new UsageError(`${path}: expected ${wanted}, received ${received}`);
  };
  const latin = (from: number, to: number) =>
    Buffer.from(bytes.subarray(from, to)).toString('latin1');
  if (latin(0, 6) !== MAGIC) refuse('a NumPy array file', 'a file of another kind');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const isFirst = view.getUint8(6) === 1;
  const start = isFirst ? 10 : 12;
  if (bytes.length < start) refuse('a whole NumPy header', `${bytes.length} bytes in all`);
  const end = start + (isFirst ? view.getUint16(8, true) : view.getUint32(8, true));
  const header = latin(start, end);
  const descr = /'descr':\s*'([^']+)'/.exec(header)?.[1] ?? 'none';
  const shape = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  const dtype = elementTypes[descr];
  if (dtype === undefined || shape === undefined) {
    return refuse(`elements of ${Object.keys(elementTypes).join(', ')}`, descr);
  }
  if (/'fortran_order':\s*True/.test(header)) {
    refuse('a row-major array (numpy.ascontiguousarray)', 'a column-major one');
  }
  const dims = shape
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const size = elementCount(dims) * elementBytes[dtype];
  const body = bytes.subarray(end);
  if (body.length !== size) refuse(`${size} bytes of elements`, `${body.length}; it is damaged`);
  return { dtype, dims, data: decodeTensorData(dtype, body, elementCount(dims)) };
}
