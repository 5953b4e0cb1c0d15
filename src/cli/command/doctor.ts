import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { listDevices } from '../../device/probe.js';
import { ArchwrightError, errorMessage, UsageError } from '../../errors.js';
import { createLedger, readLedger } from '../../ledger/sqlite.js';
import { loadBinding, loadHost } from '../../runtime/runtime.js';
import { VERSION } from '../compose.js';
import { addNormalizationOptions } from '../data-options.js';
import { addDeviceOptions } from '../device-options.js';
import { formatDoctorModel } from '../doctor-text.js';
import { type OutputOptions, print } from '../output.js';
import { parseDim, parsePositive, parseShape, parseWhole } from '../parse.js';
import { type DoctorModelFlags, doctorModel } from './doctor-model.js';

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do where it is not ok. */
  readonly fix?: string;
}

interface DoctorFlags extends DoctorModelFlags, OutputOptions {}

/**
 * `archwright doctor`: exit code 1 where something does not work. With a model: what deploying it
 * costs, and exit code 1 where it does not run on the device.
 */
export function addDoctorCommand(program: Command): void {
  const command = program
    .command('doctor')
    .description('say what works on this machine; or of a model, what deploying it costs')
    .argument('[model]', 'ONNX file to examine: what runs where, and what fp16 and int8 would do')
    .option(
      '--data <folder>',
      'images to calibrate and score on: IDX or CIFAR-10 files, or `glyphs`',
    )
    .option(
      '--seconds <time>',
      'time to compare latencies, per form',
      parsePositive('--seconds'),
      5,
    )
    .option('--dim <name=size>', 'size of a symbolic dimension; repeatable', parseDim)
    .option('--shape <name=d0,d1,…>', 'shape of an input left open; repeatable', parseShape)
    .option('--seed <number>', 'seed of random inputs', parseWhole('--seed', 0), 0)
    .option('--json', 'print one JSON document');
  addNormalizationOptions(addDeviceOptions(command)).action(
    async (model: string | undefined, flags: DoctorFlags) => {
      if (model === undefined) return examineMachine(command, flags);
      const everyDevice = command.getOptionValueSource('device') === 'default';
      const document = await doctorModel(model, flags, everyDevice);
      print(document, flags, formatDoctorModel);
      if (document.placements[0]?.runs !== true) process.exitCode = 1;
    },
  );
}

async function examineMachine(command: Command, flags: OutputOptions): Promise<void> {
  const given = command.options
    .filter((option) => option.attributeName() !== 'json')
    .find((option) => command.getOptionValueSource(option.attributeName()) === 'cli');
  if (given !== undefined) {
    throw new UsageError(
      `${given.long}: expected a model to use it on; archwright doctor model.onnx`,
    );
  }
  const checks = await examine();
  print({ schema: 'archwright.doctor/1', checks }, flags, () => checks.map(formatCheck).join('\n'));
  if (checks.some(({ ok }) => !ok)) process.exitCode = 1;
}

async function examine(): Promise<Check[]> {
  const checks: Check[] = [
    attempt('node', describeNode, 'install Node 20.17 or newer'),
    attempt(
      'native addon',
      () =>
        `ONNX Runtime ${loadBinding().runtimeVersion()}, ${loadBinding().availableProviders().join(', ')}`,
      'npm run install (needs Python 3, make and a C++ compiler)',
    ),
    attempt('host', describeHost, 'npm run install'),
    { name: 'telemetry', ok: true, detail: describeTelemetry() },
    attempt('ledger', tryLedger, 'npm ci (the package libsql brings a binary for this platform)'),
  ];
  for (const device of await listDevices()) {
    // What this version cannot use is no fault of the machine.
    if (device.usable) checks.push({ name: `device ${device.id}`, ok: true, detail: 'usable' });
    else if (device.id === 'cpu')
      checks.push({ name: 'device cpu', ok: false, detail: device.reason, fix: device.fix });
    else
      checks.push({ name: `device ${device.id}`, ok: true, detail: `not used: ${device.reason}` });
  }
  return checks;
}

function attempt(name: string, look: () => string, fix: string): Check {
  try {
    return { name, ok: true, detail: look() };
  } catch (error) {
    return { name, ok: false, detail: errorMessage(error), fix };
  }
}

function describeNode(): string {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major < 20 || (major === 20 && minor < 17)) {
    throw new ArchwrightError(`expected Node 20.17 or newer, received ${process.version}`);
  }
  return `${process.version}, archwright ${VERSION}`;
}

function describeHost(): string {
  const { cpuModel, availableCores, features, totalMemoryBytes } = loadHost().hostFacts();
  const gib = (totalMemoryBytes / 1024 ** 3).toFixed(1);
  return `${cpuModel}, ${availableCores} cores, ${gib} GiB, ${features.join(' ')}`;
}

function describeTelemetry(): string {
  const value = process.env.ORT_DISABLE_TELEMETRY ?? '1';
  return value === '1' ? 'off' : 'turned on by ORT_DISABLE_TELEMETRY in the environment';
}

function tryLedger(): string {
  const folder = mkdtempSync(join(tmpdir(), 'archwright-doctor-'));
  try {
    const path = join(folder, 'ledger.sqlite');
    createLedger(path, { name: 'doctor', config: {}, seed: 0, version: VERSION }).close();
    const ledger = readLedger(path);
    const { name } = ledger.run;
    ledger.close();
    if (name !== 'doctor') throw new ArchwrightError('what was written was not read back');
    return 'SQLite writes, locks and reads back';
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function formatCheck({ name, ok, detail, fix }: Check): string {
  const advice = ok || fix === undefined ? '' : `\n                 → ${fix}`;
  return `${ok ? '✓' : '✗'} ${name.padEnd(14)} ${detail}${advice}`;
}
