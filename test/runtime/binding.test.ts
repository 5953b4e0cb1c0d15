import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
let copy: string;

/** A copy of the compiled runtime in a folder where things can be missing. */
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'archwright-binding-'));
  writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
  for (const path of ['dist/errors.js', 'dist/runtime']) {
    cpSync(join(root, path), join(copy, path), { recursive: true });
  }
});
afterEach(() => rmSync(copy, { recursive: true }));

function load(): string {
  const url = pathToFileURL(join(copy, 'dist/runtime/binding.js')).href;
  const program = `import { loadBinding } from '${url}';
    try { console.log('loaded', loadBinding().runtimeVersion()); }
    catch (error) { console.log(error.name, error.message); }`;
  return spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' })
    .stdout;
}

const linkAddon = () => symlinkSync(join(root, 'build'), join(copy, 'build'));

describe('the load site', () => {
  it('loads', () => {
    linkAddon();
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    expect(load()).toMatch(/^loaded 1\.\d+\.\d+/);
  });

  it('without a built addon: a help page', () => {
    const page = load();
    expect(page).toContain('ArchwrightError The native addon could not be loaded.');
    expect(page).toContain(`tried: ${join(copy, 'build/Release/archwright.node')}`);
    expect(page).toContain('found: no such file');
    expect(page).toContain('npm rebuild archwright');
  });

  it('without the package of ONNX Runtime: a help page', () => {
    linkAddon();
    expect(load()).toContain('found: the package is not installed');
  });

  it('with a library that is not ONNX Runtime: a help page', () => {
    linkAddon();
    const folder = join(copy, 'node_modules/onnxruntime-node');
    const bin = join(folder, 'bin/napi-v6', process.platform, process.arch);
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(folder, 'package.json'), '{}');
    expect(load()).toContain('ships libraries for Linux and Windows');
    for (const name of ['libonnxruntime.so.1', 'libonnxruntime.1.dylib', 'onnxruntime.dll']) {
      writeFileSync(join(bin, name), 'not a library');
    }
    expect(load()).toContain('ONNX Runtime could not be opened.');
    rmSync(join(bin, 'libonnxruntime.so.1'));
    symlinkSync(join(root, 'build/Release/archwright.node'), join(bin, 'libonnxruntime.so.1'));
    if (process.platform === 'linux') expect(load()).toContain('has no OrtGetApiBase');
  });
});
