// Prints `N passed, N failed` over vitest's JSON reports; a missing report or none passed is a failure.
import { readFileSync } from 'node:fs';

let passed = 0;
let failed = 0;
let skipped = 0;
for (const path of process.argv.slice(2)) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  passed += report.numPassedTests;
  failed += report.numFailedTests;
  // A file that does not even load has no tests, yet it failed.
  failed += report.testResults.filter(
    (f) => f.status === 'failed' && !f.assertionResults.length,
  ).length;
  skipped += report.numPendingTests + report.numTodoTests;
}
if (skipped > 0) console.log(`skipped: ${skipped}`);
console.log(`${passed} passed, ${failed} failed`);
process.exit(passed > 0 && failed === 0 ? 0 : 1);
