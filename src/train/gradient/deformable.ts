/** DeformConv: a convolution whose taps are read at learned offsets, weighed by a learned mask. */
import { intOf, intsOf } from '../../ir/attributes.js';
import { elementCount } from '../../util/tensor.js';
import { type Expansion, range } from './rule.js';
import { countBy, rowsOf, tapsOf, total, weighedRows } from './sample.js';

export const deformConv: Expansion = {
  expand: (c) => {
    const [n, channels, ...spatial] = c.dims(c.x()) as [number, number, ...number[]];
    const [filters, , ...kernel] = c.dims(c.x(1)) as [number, number, ...number[]];
    const out = c.dims(c.x(2)).slice(2);
    const rank = spatial.length;
    const group = intOf(c.node, 'group', 1);
    const groups = intOf(c.node, 'offset_group', 1);
    const [taps, places] = [elementCount(kernel), elementCount(out)];
    const offsets = c.reshape(c.x(2), [n, groups, taps, rank, places]);
    const axes = spatial.map((length, axis) => {
      const offset = c.slice(offsets, [3], [axis], [axis + 1]);
      const rigid = rigidPlaces(axis, kernel, out, {
        stride: intsOf(c.node, 'strides')?.[axis] ?? 1,
        dilation: intsOf(c.node, 'dilations')?.[axis] ?? 1,
        begin: intsOf(c.node, 'pads')?.[axis] ?? 0,
      });
      const moved = c.reshape(offset, [n, groups, taps, places]);
      const place = c.add(moved, c.tensor([taps, places], rigid));
      return tapsOf(c, place, length, { mode: 'linear', padding: 'zeros', alignCorners: true });
    });
    const first = countBy(c, [n, groups, 1, 1], elementCount(spatial));
    let read = total(c, weighedRows(c, rowsOf(c, c.x(), groups), first, spatial, axes));
    if (c.hasInput(4)) read = c.mul(read, c.reshape(c.x(4), [n, groups, taps, places, 1]));
    const perGroup = (channels / group) * taps;
    const columns = c.reshape(c.transpose(read, [0, 1, 4, 2, 3]), [n, group, perGroup, places]);
    const weight = c.reshape(c.x(1), [group, filters / group, perGroup]);
    const y = c.reshape(c.op('MatMul', [weight, columns]), [n, filters, ...out]);
    if (!c.hasInput(3)) return [y];
    return [c.add(y, c.reshape(c.x(3), [1, filters, ...out.map(() => 1)]))];
  },
};

/** Where the taps would be read along one axis without offsets, [taps, places]. */
function rigidPlaces(
  axis: number,
  kernel: readonly number[],
  out: readonly number[],
  { stride, dilation, begin }: { stride: number; dilation: number; begin: number },
): number[] {
  const along = (dims: readonly number[], flat: number) =>
    Math.floor(flat / elementCount(dims.slice(axis + 1))) % (dims[axis] as number);
  return range(elementCount(kernel)).flatMap((tap) =>
    range(elementCount(out)).map(
      (place) => along(out, place) * stride - begin + along(kernel, tap) * dilation,
    ),
  );
}
