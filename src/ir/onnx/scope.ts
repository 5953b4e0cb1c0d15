/**
 * Element types inside a file while it is decoded. Nested graphs may leave out the types of their
 * outputs (onnx.proto: "optional in subgraphs"); those are traced back through the operators that
 * keep the type of their first input, out of the nested graph where need be.
 */
import type { ElementType } from '../../util/tensor.js';
import { graphOf, intOf } from '../attributes.js';
import { elementTypeOf } from '../element-codes.js';
import type { Node } from '../graph.js';

/** Operators whose first output has the element type of the first input, among the usual ones. */
const keepsType: ReadonlySet<string> = new Set(
  (
    'Abs Add AveragePool BatchNormalization Clip Concat Conv ConvTranspose CumSum Div Dropout Erf ' +
    'Exp Expand Flatten GRU Gather GatherElements GatherND Gemm GlobalAveragePool Identity LSTM ' +
    'LayerNormalization LeakyRelu Log LogSoftmax MatMul Max MaxPool Min Mul Neg Pad Pow RNN ' +
    'Reciprocal ReduceMax ReduceMean ReduceMin ReduceSum Relu Reshape ScatterElements ScatterND Sigmoid Slice ' +
    'Softmax Split Sqrt Squeeze Sub Sum Tanh Tile Transpose Unsqueeze'
  ).split(' '),
);

/** One graph's values, and those of the graphs around it. */
export class Scope {
  readonly #types = new Map<string, ElementType>();
  readonly #producers = new Map<string, Node>();
  readonly #traced = new Set<string>();

  constructor(readonly parent?: Scope) {}

  /** Records an input or initializer. */
  declare(name: string, dtype: ElementType): void {
    this.#types.set(name, dtype);
  }

  /** Records a node. */
  addNode(node: Node): void {
    for (const output of node.outputs) this.#producers.set(output, node);
  }

  /** The element type of a value; undefined where it cannot be traced. */
  typeOf(name: string): ElementType | undefined {
    const declared = this.#types.get(name);
    if (declared !== undefined) return declared;
    const producer = this.#producers.get(name);
    if (producer === undefined) return this.parent?.typeOf(name);
    // A damaged file may hold a cycle: what is being traced already leads nowhere.
    if (this.#traced.has(name)) return undefined;
    this.#traced.add(name);
    const dtype = this.#outputType(producer, name);
    this.#traced.delete(name);
    return dtype;
  }

  #outputType(node: Node, name: string): ElementType | undefined {
    if (node.domain !== '') return undefined;
    const [input] = node.inputs;
    if (keepsType.has(node.op) && input !== undefined) return this.typeOf(input);
    switch (node.op) {
      case 'If':
        return graphOf(node, 'then_branch')?.outputs[node.outputs.indexOf(name)]?.dtype;
      case 'Loop':
        // The body's first output is its condition.
        return graphOf(node, 'body')?.outputs[node.outputs.indexOf(name) + 1]?.dtype;
      case 'Scan':
        return graphOf(node, 'body')?.outputs[node.outputs.indexOf(name)]?.dtype;
      case 'Cast':
        return elementTypeOf(intOf(node, 'to', 0));
      case 'CastLike':
      case 'Where':
        return this.typeOf(node.inputs[1] ?? '');
      case 'Constant':
      case 'ConstantOfShape': {
        const { value } = node.attributes;
        if (value?.kind === 'tensor') return value.value.dtype;
        return node.op === 'Constant' ? undefined : 'float32';
      }
      default:
        return undefined;
    }
  }
}
