import { proto } from './proto.js';

/**
 * Initializers that a file lists among its inputs too: a caller may override them, so a runtime must
 * not fold or fuse what they go into. Files before IR version 4 had to list all of theirs; a Graph
 * lists none. Empty for bytes that hold no model.
 */
export function listOverridable(bytes: Uint8Array): string[] {
  try {
    const { graph } = proto.ModelProto.decode(bytes);
    const inputs = new Set((graph?.input ?? []).map(({ name }) => name ?? ''));
    return (graph?.initializer ?? [])
      .map(({ name }) => name ?? '')
      .filter((name) => inputs.has(name));
  } catch {
    return []; // `decodeModel` says better what is wrong
  }
}
