/**
 * The one place where native code is loaded. The addon is `build/Release/archwright.node`; the
 * ONNX Runtime library is the one that the npm package `onnxruntime-node` ships, opened by the
 * addon through its C interface (the package's own JavaScript is not used).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ArchwrightError, errorMessage } from '../errors.js';
import type { HostBinding, NativeBinding } from './binding-types.js';

/** What `build/Release/archwright.node` exports: the contract and the opening of ONNX Runtime. */
interface Addon extends NativeBinding {
  /** Throws if the library cannot be opened or is too old; once per process, then a no-op. */
  openRuntime(path: string): void;
}

const require = createRequire(import.meta.url);
const addonPath = fileURLToPath(new URL('../../build/Release/archwright.node', import.meta.url));
const libraryNames: Readonly<Record<string, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

let addon: Addon | undefined;
let binding: NativeBinding | undefined;

/** The addon without ONNX Runtime. Throws `ArchwrightError` with a help page if it cannot load. */
export function loadHost(): HostBinding {
  return loadAddon();
}

/**
 * The whole binding, with ONNX Runtime opened; loaded on first use, the same object afterwards.
 * `ORT_DISABLE_TELEMETRY=1` is put into the process environment before the library is opened,
 * unless the variable is already set. Throws `ArchwrightError` with a help page if it cannot load.
 */
export function loadBinding(): NativeBinding {
  if (binding !== undefined) return binding;
  const loaded = loadAddon();
  const library = findRuntimeLibrary();
  try {
    loaded.openRuntime(library);
  } catch (error) {
    throw new ArchwrightError(
      helpPage('ONNX Runtime could not be opened', library, errorMessage(error), [
        'Reinstall the package that ships it: npm ci (or npm install onnxruntime-node).',
        'On Linux it needs glibc 2.28 or later and libstdc++; Alpine (musl) is not supported.',
      ]),
      { cause: error },
    );
  }
  binding = loaded;
  return loaded;
}

function loadAddon(): Addon {
  if (addon !== undefined) return addon;
  try {
    addon = require(addonPath) as Addon;
  } catch (error) {
    const found = existsSync(addonPath) ? errorMessage(error) : 'no such file';
    throw new ArchwrightError(
      helpPage('The native addon could not be loaded', addonPath, found, [
        'Build it: npm rebuild archwright, or inside its folder: npm run install.',
        'Building needs Python 3, make and a C++17 compiler (Debian: apt-get install python3 make g++).',
        'If npm ran with --ignore-scripts, the build was skipped.',
      ]),
      { cause: error },
    );
  }
  return addon;
}

/** Path of ONNX Runtime's library. Throws `ArchwrightError` with a help page if there is none. */
export function findRuntimeLibrary(): string {
  const name = libraryNames[process.platform];
  let root: string;
  try {
    root = dirname(require.resolve('onnxruntime-node/package.json'));
  } catch (error) {
    throw new ArchwrightError(
      helpPage('ONNX Runtime was not found', 'onnxruntime-node', 'the package is not installed', [
        'Install it: npm ci (or npm install onnxruntime-node).',
      ]),
      { cause: error },
    );
  }
  const folder = join(root, 'bin', 'napi-v6', process.platform, process.arch);
  const path = join(folder, name ?? '');
  if (name === undefined || !existsSync(path)) {
    throw new ArchwrightError(
      helpPage('ONNX Runtime was not found', path, 'no such file', [
        'onnxruntime-node ships libraries for Linux and Windows (x64, arm64) and macOS (arm64).',
        'If this is one of them, reinstall: npm ci.',
      ]),
    );
  }
  return path;
}

function helpPage(title: string, tried: string, found: string, todo: readonly string[]): string {
  return [
    `${title}.`,
    `  tried: ${tried}`,
    `  found: ${found}`,
    `  this is: Node ${process.version} on ${process.platform} ${process.arch}`,
    '  what to do:',
    ...todo.map((line) => `    - ${line}`),
  ].join('\n');
}
