/** What the checks found, counted. */
import { errorMessage } from '../../src/errors.js';
import { isRandom } from '../../src/ir/random.js';
import { checkGradients } from './gradient.js';
import { type Prepared, prepareCase } from './prepare.js';
import { checkShapes } from './shape.js';
import type { CaseSource } from './source.js';
import { checkReference } from './values.js';

export type Finding =
  | { readonly status: 'passed' }
  | { readonly status: 'failed' | 'skipped'; readonly reason: string };

export const checkNames = ['shape', 'reference', 'gradient'] as const;
export type CheckName = (typeof checkNames)[number];

export interface CaseReport {
  readonly name: string;
  readonly findings: Readonly<Record<CheckName, Finding>>;
}

/** Whether no other implementation can give the stored outputs. */
function drawsAtRandom({ graph, inputs }: Prepared): boolean {
  const firstOf = (name = '') => {
    const stored = inputs.get(name) ?? graph.initializers.find((i) => i.name === name);
    return stored?.data === undefined ? undefined : Number(stored.data[0]);
  };
  return graph.nodes.some((node) => {
    if (node.op !== 'Dropout') return isRandom(node);
    const [, ratio, mode] = node.inputs;
    return firstOf(mode) === 1 && firstOf(ratio) !== 0;
  });
}

/** Runs every check on a case. What a check throws is its failure. */
export function checkCase(source: CaseSource): CaseReport {
  const { name } = source;
  const prepared = prepareCase(source);
  if (typeof prepared === 'string') {
    const skipped: Finding = { status: 'skipped', reason: prepared };
    return { name, findings: { shape: skipped, reference: skipped, gradient: skipped } };
  }
  const attempt = (check: () => Finding): Finding => {
    try {
      return check();
    } catch (error) {
      return { status: 'failed', reason: errorMessage(error) };
    }
  };
  const shape = attempt(() => checkShapes(prepared));
  if (drawsAtRandom(prepared)) {
    const skipped: Finding = { status: 'skipped', reason: 'its output is drawn at random' };
    return { name, findings: { shape, reference: skipped, gradient: skipped } };
  }
  const reference = attempt(() => checkReference(prepared));
  return {
    name,
    findings: { shape, reference, gradient: attempt(() => checkGradients(prepared, name)) },
  };
}

export interface Summary {
  readonly cases: number;
  readonly checks: Readonly<
    Record<
      CheckName,
      {
        readonly passed: number;
        readonly failed: readonly { readonly name: string; readonly reason: string }[];
        /** Number of cases by reason, the most frequent first. */
        readonly skipped: Readonly<Record<string, number>>;
      }
    >
  >;
}

/** Counts over all cases. */
export function summarize(reports: readonly CaseReport[]): Summary {
  const count = (check: CheckName) => {
    const skipped = new Map<string, number>();
    const failed: { name: string; reason: string }[] = [];
    let passed = 0;
    for (const { name, findings } of reports) {
      const finding = findings[check];
      if (finding.status === 'passed') passed++;
      else if (finding.status === 'failed') failed.push({ name, reason: finding.reason });
      else skipped.set(finding.reason, (skipped.get(finding.reason) ?? 0) + 1);
    }
    const ordered = [...skipped].sort((a, b) => b[1] - a[1]);
    return { passed, failed, skipped: Object.fromEntries(ordered) };
  };
  const checks = {
    shape: count('shape'),
    reference: count('reference'),
    gradient: count('gradient'),
  };
  return { cases: reports.length, checks };
}

/** The summary as text. */
export function formatSummary({ cases, checks }: Summary): string {
  const titles: Readonly<Record<CheckName, string>> = {
    shape: 'inferred types are those of the stored outputs',
    reference: 'the float64 reference gives the stored outputs',
    gradient: 'gradients agree with finite differences in float64',
  };
  const lines = checkNames.flatMap((check) => {
    const { passed, failed, skipped } = checks[check];
    const left = Object.values(skipped).reduce((sum, n) => sum + n, 0);
    return [
      `${check}: ${titles[check]}`,
      `  ${passed} passed, ${failed.length} failed, ${left} skipped`,
      ...failed.map(({ name, reason }) => `  FAILED  ${name}: ${reason}`),
      ...Object.entries(skipped).map(
        ([reason, n]) => `  skipped ${String(n).padStart(4)}  ${reason}`,
      ),
      '',
    ];
  });
  return [`${cases} cases`, '', ...lines].join('\n');
}
