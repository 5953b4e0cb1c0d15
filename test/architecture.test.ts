import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const src = fileURLToPath(new URL('../src/', import.meta.url));

/** Folder → folders it may import besides `util` and `errors`; the map of the house. */
const arrows: Record<string, readonly string[]> = {
  ir: [],
  data: [],
  runtime: [],
  device: ['ir', 'runtime'],
  measure: ['ir', 'runtime', 'device'],
  train: ['ir', 'runtime', 'device', 'data'],
  space: ['ir'],
  trial: ['ir'],
  guard: ['ir', 'trial', 'data'],
  deploy: ['ir', 'runtime', 'device', 'measure', 'data', 'train'],
  evaluate: ['ir', 'space', 'trial', 'guard', 'train', 'measure', 'device', 'data'],
  memory: ['space', 'trial'],
  agent: ['ir', 'space', 'trial', 'memory'],
  ledger: ['trial'],
  search: [
    'trial',
    'agent/agent',
    'space/space',
    'evaluate/evaluate',
    'ledger/ledger',
    'guard/guard',
  ],
  mcp: ['search', 'agent', 'memory', 'ledger', 'guard', 'evaluate', 'trial', 'space', 'ir'],
  util: [],
};
/** Folders that may import everything. */
const roots = ['cli', 'index'];
/** Third-party library → the folders that may import it. */
const owners: Record<string, readonly string[]> = {
  'onnx-proto': ['ir'],
  'onnxruntime-node': ['runtime'],
  piscina: ['runtime'],
  libsql: ['ledger'],
  commander: ['cli'],
  yaml: ['cli'],
  '@modelcontextprotocol/sdk/server/mcp.js': ['mcp'],
  '@modelcontextprotocol/sdk/server/stdio.js': ['mcp'],
  '@modelcontextprotocol/sdk/server/streamableHttp.js': ['mcp'],
  '@modelcontextprotocol/sdk/types.js': ['mcp'],
  zod: ['mcp', 'cli', 'space', 'agent/llm'],
  ai: ['agent/llm'],
  '@ai-sdk/openai-compatible': ['agent/llm'],
  '@ai-sdk/anthropic': ['agent/llm'],
};

interface Import {
  readonly file: string;
  readonly from: string;
  readonly target: string;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts'));

const imports: Import[] = files.flatMap((file) => {
  const text = readFileSync(join(src, file), 'utf8');
  const specifiers = text.matchAll(/^(?:import|export)\b(?:[^;'"]*?\bfrom)?\s*'([^']+)'/gm);
  return [...specifiers].map(([, target]) => ({
    file,
    from: file.includes('/') ? (file.split('/')[0] as string) : file.replace('.ts', ''),
    target: target as string,
  }));
});

describe('the map of the house', () => {
  it('sees the imports', () => {
    expect(imports.length).toBeGreaterThan(100);
  });

  it('has every folder in the table', () => {
    const folders = new Set(files.filter((f) => f.includes('/')).map((f) => f.split('/')[0]));
    for (const folder of folders) expect([...Object.keys(arrows), ...roots]).toContain(folder);
  });

  it('holds the arrows between folders', () => {
    const wrong = imports.filter(({ file, from, target }) => {
      if (!target.startsWith('.') || roots.includes(from)) return false;
      const path = posix.join(posix.dirname(file), target).replace(/\.js$/, '');
      const folder = path.split('/')[0] as string;
      if ([from, 'util', 'errors'].includes(folder)) return false;
      return !(arrows[from] ?? []).some((allowed) => allowed === folder || allowed === path);
    });
    expect(wrong).toEqual([]);
  });

  it('touches each outside library in its own folder alone', () => {
    const wrong = imports.filter(({ file, target }) => {
      if (target.startsWith('.') || target.startsWith('node:')) return false;
      return !(owners[target] ?? []).some((folder) => file.startsWith(`${folder}/`));
    });
    expect(wrong).toEqual([]);
  });

  it('lists every folder in the README', () => {
    const readme = readFileSync(join(src, '../README.md'), 'utf8');
    for (const folder of Object.keys(arrows)) expect(readme).toContain(`\`${folder}\``);
  });
});
