/**
 * Which initializers are trained. ONNX has no place for it, so it is inferred from the consumers;
 * where a graph disagrees with the inference, its files say so in the metadata key `ROLES_KEY`: a
 * JSON object from initializer name to role, of the exceptions alone.
 */
import { UsageError } from '../../errors.js';
import type { ElementType } from '../../util/tensor.js';
import type { Graph, Initializer, InitializerRole, Node } from '../graph.js';
import { allNodes } from '../uses.js';

/** Metadata key of the roles that inference would get wrong. */
export const ROLES_KEY = 'archwright.roles';

type Roles = ReadonlyMap<string, InitializerRole>;

/** Input slots that hold trained tensors (ONNX operator specifications). */
const slots: Readonly<Record<string, readonly (InitializerRole | undefined)[]>> = {
  Conv: [undefined, 'weight', 'weight'],
  ConvTranspose: [undefined, 'weight', 'weight'],
  Gemm: [undefined, 'weight', 'weight'],
  MatMul: ['weight', 'weight'],
  BatchNormalization: [undefined, 'weight', 'weight', 'state', 'state'],
  GRU: [undefined, 'weight', 'weight', 'weight'],
  LSTM: [undefined, 'weight', 'weight', 'weight', undefined, undefined, undefined, 'weight'],
  LayerNormalization: [undefined, 'weight', 'weight'],
  RNN: [undefined, 'weight', 'weight', 'weight'],
};

const floats: ReadonlySet<ElementType> = new Set(['float16', 'bfloat16', 'float32', 'float64']);

/** What roles are read from. */
export type RoleSource = Pick<Graph, 'nodes' | 'initializers'>;

/**
 * The role of every initializer by its consumers, those in bodies included: floats in a weight slot are weights or state, so
 * is a 1-D float added to the output of a MatMul; one without data is at least a weight; everything
 * else is constant.
 */
export function inferRoles(graph: RoleSource): Roles {
  const claims = claimsOf(allNodes(graph), new Map(graph.initializers.map((i) => [i.name, i])));
  return new Map(
    graph.initializers.map((initializer) => {
      const absent = initializer.data === undefined ? 'weight' : 'constant';
      const claim = floats.has(initializer.dtype) ? claims.get(initializer.name) : undefined;
      return [initializer.name, claim ?? absent];
    }),
  );
}

/** The graph's metadata with its role exceptions added, in the order of the initializers. */
export function encodeRoles(graph: Graph): Readonly<Record<string, string>> {
  const inferred = inferRoles(graph);
  const exceptions = graph.initializers
    .filter(({ name, role }) => inferred.get(name) !== role)
    .map(({ name, role }) => [name, role]);
  if (exceptions.length === 0) return graph.metadata;
  return { ...graph.metadata, [ROLES_KEY]: JSON.stringify(Object.fromEntries(exceptions)) };
}

/** The roles in force for a graph that was read with this metadata. */
export function decodeRoles(graph: RoleSource, metadata: Readonly<Record<string, string>>): Roles {
  const roles = new Map(inferRoles(graph));
  const text = metadata[ROLES_KEY];
  if (text === undefined) return roles;
  for (const [name, role] of Object.entries(parseExceptions(text))) {
    if (!isRole(role)) {
      throw new UsageError(
        `metadata ${ROLES_KEY}: ${name} expected weight, state or constant, received ${role}`,
      );
    }
    if (roles.has(name)) roles.set(name, role);
  }
  return roles;
}

/** The initializers with their roles set. Throws where a constant has no data. */
export function withRoles(initializers: readonly Initializer[], roles: Roles): Initializer[] {
  return initializers.map((initializer) => {
    const role = roles.get(initializer.name) ?? initializer.role;
    if (role === 'constant' && initializer.data === undefined) {
      throw new UsageError(`constant ${initializer.name}: expected data, received none`);
    }
    return { ...initializer, role };
  });
}

function claimsOf(nodes: readonly Node[], initializers: ReadonlyMap<string, Initializer>) {
  const claims = new Map<string, InitializerRole>();
  const products = new Set<string>();
  for (const node of nodes) {
    if (node.domain !== '') continue;
    if (node.op === 'MatMul') for (const output of node.outputs) products.add(output);
    if (node.op === 'Add' && node.inputs.some((input) => products.has(input))) {
      for (const name of node.inputs) {
        if (initializers.get(name)?.dims.length === 1) claims.set(name, 'weight');
      }
    }
    const roles = Object.hasOwn(slots, node.op) ? slots[node.op] : undefined;
    roles?.forEach((role, i) => {
      const name = node.inputs[i];
      if (name !== undefined && role !== undefined) claims.set(name, role);
    });
  }
  return claims;
}

function parseExceptions(text: string): object {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`metadata ${ROLES_KEY}: expected JSON, received ${JSON.stringify(text)}`, {
      cause,
    });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new UsageError(
    `metadata ${ROLES_KEY}: expected a JSON object, received ${JSON.stringify(text)}`,
  );
}

function isRole(value: unknown): value is InitializerRole {
  return value === 'weight' || value === 'state' || value === 'constant';
}
