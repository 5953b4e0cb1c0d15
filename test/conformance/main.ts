/**
 * Checks shape inference and gradients on conformance cases of the ONNX project's layout:
 *
 *   npm run conformance -- <folder | cases.tar.gz> [--only <regular expression>] [--json]
 *
 * Exit code 1 where a check failed, 2 for wrong use.
 */
import { parseArgs } from 'node:util';
import { errorMessage, UsageError } from '../../src/errors.js';
import { checkCase, checkNames, formatSummary, summarize } from './report.js';
import { readCases } from './source.js';

function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { only: { type: 'string' }, json: { type: 'boolean', default: false } },
  });
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) {
    throw new UsageError(
      `expected one folder or .tar.gz of cases, received ${positionals.length}: npm run conformance -- <path>`,
    );
  }
  const only = new RegExp(values.only ?? '');
  const reports = readCases(path)
    .filter(({ name }) => only.test(name))
    .map(checkCase);
  const summary = summarize(reports);
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ schema: 'archwright.conformance/1', ...summary, results: reports })}\n`
      : formatSummary(summary),
  );
  if (checkNames.some((check) => summary.checks[check].failed.length > 0)) process.exitCode = 1;
}

try {
  main();
} catch (error) {
  process.stderr.write(`conformance: ${errorMessage(error)}\n`);
  process.exitCode = error instanceof UsageError || error instanceof TypeError ? 2 : 1;
}
