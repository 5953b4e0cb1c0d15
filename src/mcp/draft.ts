/** What an outside agent hands in, looked at before it costs anything. */
import { ArchwrightError, errorMessage, UsageError } from '../errors.js';
import type { Design } from '../evaluate/evaluate.js';
import { limitsBroken, reasonToRefuse } from '../guard/guard.js';
import { type GraphCost, inferCost } from '../ir/cost.js';
import type { Constraint } from '../trial/objective.js';
import { violationsOf } from '../trial/objective.js';
import type { Json, Violation } from '../trial/trial.js';
import type { OpenRun } from './run.js';

/** One of three forms. */
export interface DraftForms {
  /** A point of the space. */
  readonly architecture?: unknown;
  /** A graph in the ONNX textual syntax. */
  readonly graph?: string | undefined;
  /** An ONNX file in base64. */
  readonly onnx?: string | undefined;
}

export interface Draft {
  readonly architecture: Json;
  readonly design: Design;
  readonly cost: GraphCost;
}

/** Longest architecture as JSON; a point of a space has a kilobyte. */
const MAX_ARCHITECTURE = 64 * 1024;

/**
 * The design of a draft and what it costs by its graph alone. Throws `UsageError`, one line, for what
 * is not in the space, does not fit the task or must not run.
 */
export function examineDraft(forms: DraftForms, open: OpenRun): Draft {
  const architecture = architectureOf(forms, open);
  try {
    const design = open.evaluator.decode(architecture);
    const reason = reasonToRefuse(design.graph);
    if (reason !== undefined) throw new UsageError(reason);
    return { architecture, design, cost: inferCost(design.graph, { N: 1 }) };
  } catch (error) {
    if (!(error instanceof ArchwrightError)) throw error;
    throw new UsageError(`illegal draft: ${oneLine(errorMessage(error))}`, { cause: error });
  }
}

/** The limits that a draft breaks by its graph alone. */
export function brokenBy(
  { design, cost }: Draft,
  open: OpenRun,
  constraints: readonly Constraint[],
): readonly Violation[] {
  const { params, macs, weightsBytes, activationPeakBytes } = cost;
  const known = { params, macs, weightsBytes, activationPeakBytes };
  return [...limitsBroken(design.graph, cost, open.limits), ...violationsOf(known, constraints)];
}

/** Why a design is not new, or undefined. */
export function duplicateOf({ design }: Draft, open: OpenRun): string | undefined {
  const { evaluator, inbox, ledger } = open;
  const known = ledger.proposals().find(({ hash }) => hash === design.hash);
  if (known !== undefined) return `duplicate: it computes what trial ${known.id} does`;
  const queued = inbox.waiting.some(
    ({ architecture }) => evaluator.decode(architecture).hash === design.hash,
  );
  return queued ? 'duplicate: it computes what a submission in the queue does' : undefined;
}

function architectureOf({ architecture, graph, onnx }: DraftForms, open: OpenRun): Json {
  const given = [architecture, graph, onnx].filter((form) => form !== undefined);
  if (given.length !== 1) {
    throw new UsageError(
      `expected one of architecture, graph and onnx, received ${given.length === 0 ? 'none' : given.length}`,
    );
  }
  if (graph !== undefined) return { graph };
  if (onnx !== undefined) return modelOf(onnx, open);
  const text = JSON.stringify(architecture);
  if (text.length > MAX_ARCHITECTURE) {
    throw new UsageError(
      `architecture: expected at most ${MAX_ARCHITECTURE} characters of JSON, received ${text.length}`,
    );
  }
  return JSON.parse(text) as Json;
}

function modelOf(onnx: string, { readModel }: OpenRun): Json {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(onnx)) {
    throw new UsageError('onnx: expected an ONNX file in base64, received other characters');
  }
  try {
    return readModel(new Uint8Array(Buffer.from(onnx, 'base64')));
  } catch (error) {
    if (!(error instanceof ArchwrightError)) throw error;
    throw new UsageError(`illegal draft: ${oneLine(errorMessage(error))}`, { cause: error });
  }
}

/** Messages may quote what was handed in. */
export function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{C}\s]+/gu, ' ');
  return line.length <= 400 ? line : `${line.slice(0, 399)}…`;
}
