/** Features brought to like size. */
export type Scale = (point: Float64Array) => Float64Array;

/** Divides each feature by its range over `points`; one that is constant there stays as it is. */
export function scaleOf(points: readonly Float64Array[]): Scale {
  const ranges = (points[0] ?? new Float64Array()).map((first, d) => {
    let [low, high] = [first, first];
    for (const point of points) {
      low = Math.min(low, point[d] as number);
      high = Math.max(high, point[d] as number);
    }
    return high - low || 1;
  });
  return (point) => point.map((value, d) => value / (ranges[d] as number));
}
