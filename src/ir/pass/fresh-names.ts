import type { Graph } from '../graph.js';

/** Gives names that nothing in the graph has: the hint itself, or the hint with a number. */
export function freshNamer(graph: Graph): (hint: string) => string {
  const taken = new Set([
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.map(({ name }) => name),
    ...graph.nodes.flatMap(({ name, outputs }) => [name, ...outputs]),
  ]);
  return (hint) => {
    let name = hint;
    for (let number = 2; taken.has(name); number++) name = `${hint}_${number}`;
    taken.add(name);
    return name;
  };
}
