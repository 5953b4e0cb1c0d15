/** Catches limits that nothing in the space can hold, before hours are spent on finding that out. */
import { UsageError } from '../errors.js';
import { inferCost } from '../ir/cost.js';
import type { Space } from '../space/space.js';
import { Rng } from '../util/random.js';
import type { Config } from './config-schema.js';
import { formatMetric } from './progress.js';

const SAMPLES = 200;
/** A search goes beyond random samples: only a limit this far from all of them is out of reach. */
const REACH = 4;

const staticMetrics = ['params', 'macs', 'weightsBytes', 'activationPeakBytes'] as const;

/**
 * Throws `UsageError` where every one of many random architectures is far beyond a limit on what is
 * known without measuring.
 */
export function requireReachable<A>(
  space: Space<A>,
  constraints: Config['constraints'],
  seed: number,
): void {
  const limits = constraints.flatMap(({ metric, max }, i) => {
    const known = staticMetrics.find((name) => name === metric);
    return known === undefined || typeof max !== 'number' ? [] : [{ metric: known, max, i }];
  });
  if (limits.length === 0) return;
  const rng = new Rng(seed).fork('feasibility');
  const costs = Array.from({ length: SAMPLES }, () =>
    inferCost(space.decode(space.sample(rng)), { N: 1 }),
  );
  for (const { metric, max, i } of limits) {
    const least = Math.min(...costs.map((cost) => cost[metric]));
    if (least <= max * REACH) continue;
    throw new UsageError(
      `constraints[${i}].max: expected a limit that the space ${space.name} can hold, received ` +
        `${formatMetric(metric, max)}; the least of ${SAMPLES} random architectures has ` +
        formatMetric(metric, least),
    );
  }
}
