import { subgraphsOf } from '../attributes.js';
import type { Graph } from '../graph.js';

/** Gives names that nothing in the graph or its bodies has: the hint itself, or one with a number. */
export function freshNamer(graph: Graph): (hint: string) => string {
  const taken = new Set(namesIn(graph));
  return (hint) => {
    let name = hint;
    for (let number = 2; taken.has(name); number++) name = `${hint}_${number}`;
    taken.add(name);
    return name;
  };
}

function namesIn(graph: Graph): string[] {
  return [
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.map(({ name }) => name),
    ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
    ...graph.nodes.flatMap(subgraphsOf).flatMap(namesIn),
  ];
}
