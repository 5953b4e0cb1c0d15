/**
 * Monte Carlo tree search over the tree of trials, after aira-dojo (arXiv 2507.02554): drafts hang
 * from the root, what was made of a trial hangs from it; the walk goes from the root to the child of
 * the highest upper confidence bound (UCT) and makes a child of the first trial that has room.
 */
import type { Trial } from '../trial/trial.js';
import type { Agent, Problem } from './agent.js';
import { History } from './history.js';
import { debug, draft, improve, isBroken, modelsOf } from './moves.js';
import { drawWeights, type Weights } from './standing.js';

const MAX_CHILDREN = 5;
const EXPLORATION = 0.25;

interface Node {
  readonly trial: Trial;
  readonly parent: Node | undefined;
  readonly children: Node[];
  /** Trials of the subtree and the sum of their values, for the question at hand. */
  visits: number;
  total: number;
}

export function createMctsAgent(problem: Problem): Agent {
  const history = new History(problem);
  const nodes: Node[] = [];
  const byId = new Map<number, Node>();
  const roots: Node[] = [];

  /** Values of all subtrees; children are younger than their parents. */
  const evaluate = (weights: Weights) => {
    for (const node of nodes) {
      node.visits = 1;
      node.total = worthOf(history.standings.of(node.trial, weights));
    }
    for (let i = nodes.length - 1; i >= 0; i--) {
      const { parent, visits, total } = nodes[i] as Node;
      if (parent === undefined) continue;
      parent.visits += visits;
      parent.total += total;
    }
  };
  const walk = (): Node | undefined => {
    if (roots.length < MAX_CHILDREN) return undefined;
    let node = choose(roots, nodes.length);
    while (node.children.length >= MAX_CHILDREN) node = choose(node.children, node.visits);
    return node;
  };

  return {
    name: 'mcts',
    propose(rng) {
      const weights = drawWeights(problem, rng);
      evaluate(weights);
      const node = walk();
      if (node === undefined) return draft(history, rng);
      const { trial } = node;
      if (!isBroken(trial)) return history.fresh(() => improve(problem, trial, rng));
      const models = modelsOf(history, weights);
      return history.fresh(() => debug(problem, trial, models, rng));
    },
    observe(trial) {
      history.add(trial);
      const parent = byId.get(trial.parents[0] ?? 0);
      const node = { trial, parent, children: [], visits: 1, total: 0 };
      (parent === undefined ? roots : parent.children).push(node);
      nodes.push(node);
      byId.set(trial.id, node);
    },
  };
}

/** From 1 for the best trial down to 0 for the worst that holds the limits; −1 at worst. */
function worthOf(standing: number): number {
  if (standing < 1) return 1 - standing;
  return standing < 2 ? (2 - standing) / 4 : Math.max(-1, 2 - standing);
}

function choose(nodes: readonly Node[], visits: number): Node {
  const boundOf = (node: Node) =>
    node.total / node.visits + EXPLORATION * Math.sqrt(Math.log(visits) / node.visits);
  return nodes.reduce((best, node) => (boundOf(node) > boundOf(best) ? node : best));
}
