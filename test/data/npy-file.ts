import { writeFileSync } from 'node:fs';

/** Writes a NumPy file of version 1.0; `descr` must say what `data` holds. */
export function writeNpy(
  path: string,
  descr: string,
  dims: readonly number[],
  data: ArrayBufferView,
  order = 'False',
): void {
  const shape = `(${dims.join(', ')}${dims.length === 1 ? ',' : ''})`;
  const text = `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;
  const header = Buffer.from(`${text.padEnd(117)}\n`, 'latin1');
  const magic = Buffer.from('\u0093NUMPY\u0001\u0000', 'latin1');
  const length = Buffer.alloc(2);
  length.writeUInt16LE(header.length);
  const body = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  writeFileSync(path, Buffer.concat([magic, length, header, body]));
}
