// Lines per folder; a ratchet: no file over 500, median at most 120, nine in ten at most 320.
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

const roots = ['src', 'native', 'kernels', 'benchmarks', 'test'];
const extensions = new Set(['.ts', '.mjs', '.cc', '.h', '.cu', '.cuh', '.py']);

const files = roots.flatMap((root) =>
  readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && extensions.has(extname(entry.name)))
    .map((entry) => join(entry.parentPath, entry.name)),
);
const sizes = files.map((file) => ({
  file,
  folder: file.split('/').slice(0, 2).join('/'),
  lines: readFileSync(file, 'utf8').split('\n').length - 1,
}));

const byFolder = Map.groupBy
  ? Map.groupBy(sizes, (s) => s.folder)
  : sizes.reduce((m, s) => m.set(s.folder, [...(m.get(s.folder) ?? []), s]), new Map());
for (const [folder, list] of [...byFolder].sort()) {
  const lines = list.reduce((sum, s) => sum + s.lines, 0);
  console.log(
    `${String(lines).padStart(6)} lines ${String(list.length).padStart(4)} files  ${folder}`,
  );
}
const sorted = sizes.map((s) => s.lines).sort((a, b) => a - b);
const quantile = (q) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
const over = sizes.filter((s) => s.lines > 500);
console.log(
  `${sorted.reduce((a, b) => a + b, 0)} lines in ${sorted.length} files; ` +
    `median ${quantile(0.5)}, p90 ${quantile(0.9)}, largest ${sorted.at(-1)}`,
);
for (const s of over) console.log(`over 500 lines: ${s.file} (${s.lines})`);
process.exit(over.length > 0 || quantile(0.5) > 120 || quantile(0.9) > 320 ? 1 : 0);
