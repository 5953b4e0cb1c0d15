/** Cells of every kind train, those among them that compute next to nothing. */
import { expect, test } from 'vitest';
import { removeDeadNodes } from '../../src/ir/pass/dead-nodes.js';
import { createCellSpace } from '../../src/space/cell.js';
import { CELL_EDGES } from '../../src/space/cell-architecture.js';
import { packState, unpackState } from '../../src/train/flat-state.js';
import { drawWeights } from '../../src/train/initialize.js';
import { resolveRecipe } from '../../src/train/recipe.js';
import { createTrainingStep } from '../../src/train/step.js';
import { Rng } from '../../src/util/random.js';

const space = createCellSpace({ channels: 2, height: 9, width: 8, classes: 3 });

test('every pattern of missing edges has a training graph', () => {
  const rng = new Rng('patterns');
  for (let pattern = 0; pattern < 2 ** CELL_EDGES.length; pattern++) {
    const choices = CELL_EDGES.map((_, i) => ((pattern >> i) & 1 ? 1 + rng.integer(4) : 0));
    const { graph } = removeDeadNodes(space.decode(space.fromChoices(choices)));
    const step = createTrainingStep(graph, resolveRecipe({ batch: 4 }));
    const trained = unpackState(step, packState(step, drawWeights(graph, rng)));
    const weights = graph.initializers.filter(({ role }) => role === 'weight');
    expect(weights.filter(({ name }) => !trained.has(name))).toEqual([]);
  }
});
