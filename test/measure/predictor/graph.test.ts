import { describe, expect, it } from 'vitest';
import type { Design } from '../../../src/evaluate/evaluate.js';
import { createForecaster } from '../../../src/evaluate/forecast.js';
import { inferCost } from '../../../src/ir/cost.js';
import type { Graph } from '../../../src/ir/graph.js';
import { hashGraph } from '../../../src/ir/hash.js';
import {
  createGraphEncoder,
  featuresOf,
  fitPredictor,
  fitRidge,
  spearman,
} from '../../../src/measure/predictor.js';
import { createConvSpace } from '../../../src/space/conv.js';
import { Rng } from '../../../src/util/random.js';

const space = createConvSpace({ channels: 1, height: 28, width: 28, classes: 10 });
const graphs = Array.from({ length: 120 }, (_, i) => space.decode(space.sample(new Rng(`g${i}`))));

/** A device made up: each node costs a launch and the longer of arithmetic and traffic. */
function latencyOf(graph: Graph, noise = 0): number {
  const { byNode } = inferCost(graph, { N: 1 });
  const luck = new Rng(graph.nodes.length).normal();
  return (
    byNode.reduce(
      (sum, { macs, bytesRead, bytesWritten }) =>
        sum + 1e-3 + Math.max(macs / 2e7, (bytesRead + bytesWritten) / 1e7),
      0,
    ) *
    (1 + noise * luck)
  );
}

describe('featuresOf', () => {
  it('tells apart what convolutions do, and leaves no work out', () => {
    const graph = space.baselines().find(({ name }) => name === 'mobilenet-v2')?.graph as Graph;
    const { kinds, cost } = featuresOf(graph, { N: 1 });
    expect([...kinds.keys()]).toEqual(
      expect.arrayContaining(['Conv grouped', 'Conv pointwise', 'Gemm']),
    );
    const macs = [...kinds.values()].reduce((sum, work) => sum + work.macs, 0);
    expect(macs).toBe(cost.macs);
  });
});

describe('a predictor of graphs', () => {
  it.each([10, 40])('orders a made-up device better than the ridge from %i graphs', (count) => {
    const works = graphs.map((graph) => featuresOf(graph, { N: 1 }));
    const { schema, encode } = createGraphEncoder(works.slice(0, count), 'latency');
    const samples = works
      .slice(0, count)
      .map((work, i) => ({ features: encode(work), value: latencyOf(graphs[i] as Graph, 0.02) }));
    const predictor = fitPredictor(schema, samples, { rng: new Rng(1) });
    const ridge = fitRidge(samples);
    const test = works.slice(count).map(encode);
    const measured = graphs.slice(count).map((graph) => latencyOf(graph));
    const ours = spearman(
      test.map((one) => predictor.predict(one).value),
      measured,
    );
    const theirs = spearman(
      test.map((one) => ridge.estimate(one).value),
      measured,
    );
    expect(ours).toBeGreaterThan(0.9);
    expect(ours).toBeGreaterThan(theirs);
  });
});

describe('createForecaster', () => {
  const measured = graphs
    .slice(0, 30)
    .map((graph) => ({ graph, metrics: { latencyMs: latencyOf(graph, 0.03) } }));
  const designs: Design[] = graphs
    .slice(30)
    .map((graph) => ({ graph, hash: hashGraph(graph), description: '' }));
  const latencies = designs.map(({ graph }) => latencyOf(graph)).sort((a, b) => a - b);
  const limit = latencies[Math.floor(latencies.length / 2)] as number;
  const constraints = [{ metric: 'latencyMs', max: limit }];

  it('names much of what is over a limit, and next to nothing of what is not', () => {
    const forecast = createForecaster()(measured, constraints);
    const hopeless = designs.filter((design) => (forecast?.(design) ?? []).length > 0);
    const wrong = hopeless.filter(({ graph }) => latencyOf(graph) <= limit);
    expect(hopeless.length).toBeGreaterThan(designs.length / 4);
    expect(wrong.length).toBeLessThanOrEqual(hopeless.length / 20);
  });

  it('says nothing where too little is measured, or no limit is of its kind', () => {
    const forecast = createForecaster();
    expect(forecast(measured.slice(0, 11), constraints)).toBeUndefined();
    expect(forecast(measured, [{ metric: 'params', max: 10 }])).toBeUndefined();
    expect(forecast(measured, [{ metric: 'latencyMs', min: 1 }])).toBeUndefined();
  });
});
