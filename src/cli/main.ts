#!/usr/bin/env node
/** The command line: `archwright <command>`. Exit codes: 0 done, 1 failed, 2 usage. */
import { Command, CommanderError } from 'commander';
import { addBenchCommand } from './command/bench.js';
import { addBenchAgentsCommand } from './command/bench-agents.js';
import { addCompareCommand } from './command/compare.js';
import { addDevicesCommand } from './command/devices.js';
import { addDoctorCommand } from './command/doctor.js';
import { addExportCommand } from './command/export.js';
import { addMcpCommand } from './command/mcp.js';
import { addMemoryCommand } from './command/memory.js';
import { addProfileCommand } from './command/profile.js';
import { addRooflineCommand } from './command/roofline.js';
import { addSearchCommands } from './command/search.js';
import { addTrainCommand } from './command/train.js';
import { VERSION } from './compose.js';
import { configJsonSchema } from './config-schema.js';
import { describeError, exitCodeOf } from './output.js';

// Every process of ours, and every child of it: ONNX Runtime reads this when it is opened.
process.env.ORT_DISABLE_TELEMETRY ??= '1';

const program = new Command('archwright')
  .description('Agents that design neural networks for your hardware.')
  .version(VERSION)
  .showSuggestionAfterError()
  .exitOverride();

addSearchCommands(program);
addMemoryCommand(program);
addMcpCommand(program);
addBenchCommand(program);
addCompareCommand(program);
addProfileCommand(program);
addTrainCommand(program);
addBenchAgentsCommand(program);
addExportCommand(program);
addDevicesCommand(program);
addRooflineCommand(program);
addDoctorCommand(program);
program
  .command('schema')
  .description('print the JSON Schema of configuration files, for editors')
  .action(() => {
    process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
  });
for (const command of program.commands) command.exitOverride();

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    // Commander has printed its line (or the help that was asked for) by itself.
    process.exitCode = error.exitCode === 0 ? 0 : 2;
  } else {
    process.stderr.write(`${describeError(error)}\n`);
    process.exitCode = exitCodeOf(error);
  }
}
