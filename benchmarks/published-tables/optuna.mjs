/** Optuna on a task, in a Python process of its own. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { GUIDE, LATENCY } from '../../dist/evaluate/table/evaluator.js';
import { ASKS_PER_TRIAL } from '../../dist/search/ask.js';

const SCRIPT = fileURLToPath(new URL('../optuna_tables.py', import.meta.url));

/** Queries that a sampler gets at most: an ask of TPE takes the longer, the more was told. */
const MOST_QUERIES = { 'optuna-tpe': 200, 'optuna-tpe-multivariate': 200, 'optuna-nsga2': 500 };

export const samplers = Object.keys(MOST_QUERIES);

/** Yields a run per seed as soon as it is there. */
export async function* searchWithOptuna(sampler, task, { options, space, architectures }, seeds) {
  const counts = space.decisions.map(({ options: count }) => count);
  const row = [];
  architectures.forEach((architecture, i) => {
    const choices = space.choices(architecture);
    row[choices.reduce((code, choice, d) => code * counts[d] + choice, 0)] = i;
  });
  const metrics = [...options.scores.values()];
  const python = spawn(process.env.PYTHON ?? '/usr/bin/python3', [SCRIPT], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const exited = new Promise((resolve, reject) => {
    python.once('error', reject);
    python.once('close', resolve);
  });
  python.stdin.end(
    JSON.stringify({
      sampler,
      options: counts,
      row,
      guide: metrics.map((each) => each[GUIDE]),
      latency: task.limit === undefined ? null : metrics.map((each) => each[LATENCY]),
      limit: task.limit ?? null,
      pareto: task.pareto ?? false,
      queries: Math.min(task.queries, MOST_QUERIES[sampler]),
      asks: ASKS_PER_TRIAL,
      seeds,
    }),
  );
  for await (const line of createInterface(python.stdout)) yield JSON.parse(line);
  const code = await exited;
  if (code !== 0) throw new Error(`${SCRIPT} ended with ${code}`);
}
