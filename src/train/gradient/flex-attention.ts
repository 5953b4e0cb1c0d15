/** FlexAttention: attention whose scores and shares pass graphs of the model's own. */
import { floatOf } from '../../ir/attributes.js';
import type { Graph, Node } from '../../ir/graph.js';
import { castTo, codeOf, groupedProduct, scaleQueries } from './heads.js';
import type { Expansion, NodeContext } from './rule.js';

/** Numbers of element types in ONNX files. */
const [FLOAT32, FLOAT64] = [1, 11];

/** prob_mod(softmax(score_mod(s·QKᵀ)))·V; from the scores on in the softmax's own type. */
export const flexAttention: Expansion = {
  expand: (c) => {
    const { scale, softmax_precision: precision } = c.node.attributes;
    const own = codeOf(c, c.x(0));
    const code = precision?.kind === 'int' ? precision.value : own === FLOAT64 ? own : FLOAT32;
    const size = c.dims(c.x(0))[3] as number;
    const scaled = scaleQueries(c, c.x(0), scale && floatOf(c.node, 'scale', 1), size);
    const scores = groupedProduct(c, scaled, c.transpose(c.x(1), [0, 1, 3, 2]));
    const changed = applied(c, 'score_mod', castTo(c, scores, code));
    const shares = applied(c, 'prob_mod', c.op('Softmax', [changed], { axis: -1 }));
    return [castTo(c, groupedProduct(c, shares, castTo(c, c.x(2), code)), own)];
  },
};
/** The value passed through the graph in that attribute, if there is one. */
function applied(c: NodeContext, attribute: string, value: string): string {
  const body = c.node.attributes[attribute];
  if (body?.kind !== 'graph') return value;
  return appendBody(c, body.value, value, `${c.node.name}.${attribute}`);
}

/** Appends the nodes of a body with one input and one output, their names behind the prefix. */
function appendBody(c: NodeContext, body: Graph, input: string, prefix: string): string {
  const names = new Map([[body.inputs[0]?.name ?? '', input]]);
  const of = (name: string) => names.get(name) ?? name;
  for (const { name, dtype, dims, data } of body.initializers) {
    if (data === undefined) throw c.refuse(`its body's ${name} has no data`);
    names.set(name, c.builder.constant({ dtype, dims, data }));
  }
  const rename = (node: Node, fresh: string): Node => {
    const outputs = node.outputs.map((name, i) => (name === '' ? '' : `${fresh}.${i}`));
    const inputs = node.inputs.map(of);
    node.outputs.forEach((name, i) => {
      if (name !== '') names.set(name, outputs[i] as string);
    });
    return { ...node, name: fresh, inputs, outputs };
  };
  for (const node of body.nodes) {
    c.append(rename(node, `${prefix}.${node.name}`));
  }
  return of(body.outputs[0]?.name ?? '');
}
