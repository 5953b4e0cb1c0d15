/** What a row of the operator table says. */
import type { AttributeKind } from '../graph.js';

export interface OpSchema {
  /** The operator's domain; ONNX's own where absent. */
  readonly domain?: string;
  /** Least and most inputs. */
  readonly inputs: readonly [number, number];
  readonly outputs: readonly [number, number];
  readonly attributes: Readonly<Record<string, AttributeKind>>;
}
