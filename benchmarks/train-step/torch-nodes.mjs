/**
 * A graph's nodes as somebody who uses PyTorch would write them: GELU, a linear layer and attention
 * are one call each there, not the nodes that exporters write them as.
 */

export function torchNodes(graph) {
  const producers = new Map();
  const uses = new Map();
  for (const node of graph.nodes) {
    for (const name of node.outputs) producers.set(name, node);
    for (const name of node.inputs) uses.set(name, (uses.get(name) ?? 0) + 1);
  }
  const constants = new Map(
    graph.initializers.flatMap((i) => (i.role === 'constant' ? [[i.name, i.data]] : [])),
  );
  /** The node of that operator which makes the value, for nobody else. */
  const maker = (name, op, readers = 1) => {
    const node = producers.get(name);
    return node?.op === op && uses.get(name) === readers ? node : undefined;
  };
  const gone = new Set();
  const replaced = new Map();
  const replace = (node, op, inputs, attributes, parts) => {
    replaced.set(node, { ...node, op, inputs, attributes });
    for (const part of parts) gone.add(part);
  };
  const number = (value) => ({ kind: 'float', value });
  for (const node of graph.nodes) {
    const [a, b] = node.inputs;
    if (node.op === 'Mul' && constants.get(b)?.[0] === 0.5) {
      const product = maker(a, 'Mul');
      const shifted = product && maker(product.inputs[1], 'Add');
      const erf = shifted && maker(shifted.inputs[0], 'Erf');
      const scaled = erf && maker(erf.inputs[0], 'Div');
      if (scaled) replace(node, 'Gelu', [product.inputs[0]], {}, [product, shifted, erf, scaled]);
    } else if (node.op === 'Add') {
      const product = maker(a, 'MatMul');
      const weight = graph.initializers.find(({ name }) => name === product?.inputs[1]);
      if (weight?.dims.length === 2) replace(node, 'Linear', [...product.inputs, b], {}, [product]);
    } else if (node.op === 'MatMul') {
      const shares = maker(a, 'Softmax');
      const scaled = shares && maker(shares.inputs[0], 'Mul');
      const scores = scaled && maker(scaled.inputs[0], 'MatMul');
      if (!scores) continue;
      const scale = number(constants.get(scaled.inputs[1])[0]);
      const parts = [shares, scaled, scores];
      replace(node, 'Attention', [...scores.inputs, b], { scale }, parts);
    }
  }
  return graph.nodes.filter((node) => !gone.has(node)).map((node) => replaced.get(node) ?? node);
}
