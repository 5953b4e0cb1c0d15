/**
 * What a gradient rule is. Reverse mode: for y = f(x₀, x₁, …) and the gradient of the loss with
 * respect to y (the *seed*), a rule appends nodes that compute the gradients with respect to each
 * input (vector–Jacobian products) and returns their names. All dimensions are fixed.
 */
import type { GraphBuilder } from '../../ir/builder.js';
import { NATIVE_DOMAIN, type Node } from '../../ir/graph.js';
import { NodeContext } from './node-context.js';

export { countAlong, frontAxis, keptDims, NodeContext, range, sameDims } from './node-context.js';

/** Gradients by input; undefined where none flows (integers, left out, not wanted). */
export type Gradients = readonly (string | undefined)[];
export type GradientRule = (context: GradientContext) => Gradients;

/** A row for an operator that gradients cannot pass. */
export interface NotDifferentiable {
  readonly notDifferentiable: string;
  /** No value of its inputs changes its outputs: a gradient ends there, and is right. */
  readonly independent?: true;
}

/**
 * A row for an operator that is trained as the graph it stands for: appends that graph through the
 * context and returns the value of each output, or undefined for one that it cannot give. Nodes may
 * have expansions in their turn.
 */
export interface Expansion {
  readonly expand: (context: NodeContext) => readonly (string | undefined)[];
}

/** What the gradient table says of an operator. */
export type GradientRow = GradientRule | Expansion | NotDifferentiable;

/** One node of the forward pass as its rule sees it. */
export class GradientContext extends NodeContext {
  constructor(
    builder: GraphBuilder,
    node: Node,
    /** Gradient with respect to each output; undefined is zero. */
    readonly seeds: Gradients,
    /** Whether the gradient with respect to each input is needed. */
    readonly wants: readonly boolean[],
  ) {
    super(builder, node, `d.${node.name}`, (appended) => builder.append(appended));
  }

  /** Gradient with respect to the first output. */
  get dy(): string {
    const seed = this.seeds[0];
    if (seed === undefined) throw this.refuse('only its first output can carry a gradient');
    return seed;
  }

  protected override get like(): string {
    return this.dy;
  }

  /** Whether this gradient may use our own kernels: float32, in a graph that imports them. */
  get native(): boolean {
    return this.builder.imports(NATIVE_DOMAIN) && this.builder.typeOf(this.dy).dtype === 'float32';
  }

  /** dy where the condition holds, 0 elsewhere. */
  mask(condition: string, value: string = this.dy): string {
    return this.where(condition, value, this.scalar(0, value));
  }

  /** `gradient(i)` for each input that wants one, summed back to the input's dims. */
  each(gradient: (i: number) => string | undefined): Gradients {
    return this.node.inputs.map((name, i) => {
      const value = this.wants[i] ? gradient(i) : undefined;
      return value === undefined ? undefined : this.sumTo(value, this.dims(name));
    });
  }
}
