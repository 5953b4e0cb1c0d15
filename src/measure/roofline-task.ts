/** Measuring a device's roofline in its runner process. */
import type { Device } from '../device/device.js';
import type { SessionOptions } from '../runtime/runtime.js';
import { measureRoofline } from './peaks.js';
import type { Roofline } from './roofline.js';

interface RooflineArgs {
  readonly options: SessionOptions;
  readonly fresh: boolean;
}

/** Run in the runner; see `measureRoofline`. */
export function runRooflineTask({ options, fresh }: RooflineArgs): Promise<Roofline> {
  return measureRoofline(options, { fresh });
}

/**
 * The device's roofline, from the user's cache where it is not stale, else measured in the device's
 * runner (`fresh`: in any case). Takes the lease. Throws `ArchwrightError` where the device fails.
 */
export function measureDeviceRoofline(
  device: Device,
  { fresh = false, onWait }: { fresh?: boolean; onWait?: (message: string) => void } = {},
): Promise<Roofline> {
  const args: RooflineArgs = { options: device.sessionOptions(), fresh };
  return device.lease(
    () => device.runner.call<Roofline>({ module: import.meta.url, name: 'runRooflineTask', args }),
    onWait,
  );
}
