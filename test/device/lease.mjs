/** Takes the lease of the device named by the argument, says so, and keeps it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Lease } from '../../dist/device/lease.js';

await new Lease(process.argv[2]).hold(async () => {
  process.stdout.write('held\n');
  await sleep(60_000);
});
