/** `archwright doctor model.onnx`: what deploying a model costs, as a document. */
import { readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Examination, examineModel } from '../../deploy/examine.js';
import type { Device } from '../../device/device.js';
import { listDevices } from '../../device/probe.js';
import { externalFilesOf } from '../../ir/onnx/external.js';
import type { InputDims } from '../../measure/inputs.js';
import { loadImages, type NormalizationFlags } from '../data-options.js';
import { type DeviceFlags, openDevice } from '../device-options.js';
import { readModel } from '../model-file.js';

export interface DoctorModelFlags extends DeviceFlags, NormalizationFlags {
  readonly data?: string;
  readonly seconds: number;
  readonly seed: number;
  readonly dim?: Readonly<Record<string, number>>;
  readonly shape?: InputDims;
}

/** The contract `archwright.doctor-model/1`. */
export interface DoctorModelDocument extends Examination {
  readonly schema: 'archwright.doctor-model/1';
  readonly model: string;
  readonly bytes: number;
  /** Files beside the model that hold its tensors. */
  readonly external: readonly { readonly file: string; readonly bytes: number }[];
  /** Where the variants were measured. */
  readonly device: string;
}

/** Examines the model on the device asked for, or on the CPU with a look at every other device. */
export async function doctorModel(
  path: string,
  flags: DoctorModelFlags,
  everyDevice: boolean,
): Promise<DoctorModelDocument> {
  const model = await readModel(path);
  const external = externalFilesOf(new Uint8Array(readFileSync(path))).map((file) => ({
    file,
    bytes: statSync(join(dirname(path), file)).size,
  }));
  const data = flags.data === undefined ? undefined : await loadImages(flags.data, flags);
  const devices: [Device, ...Device[]] = [await openDevice(flags)];
  try {
    if (everyDevice) {
      const others = (await listDevices()).filter(
        ({ id, usable }) => usable && id !== flags.device,
      );
      for (const { id } of others) devices.push(await openDevice({ device: id }));
    }
    const examination = await examineModel(devices, model, {
      file: path,
      seconds: flags.seconds,
      seed: flags.seed,
      ...(flags.dim !== undefined && { dims: flags.dim }),
      ...(flags.shape !== undefined && { shapes: flags.shape }),
      ...(data !== undefined && { data }),
      onProgress: (message) => process.stderr.write(`${message}\n`),
    });
    const bytes = statSync(path).size;
    const device = flags.device;
    return {
      schema: 'archwright.doctor-model/1',
      model: path,
      bytes,
      external,
      device,
      ...examination,
    };
  } finally {
    await Promise.all(devices.map((device) => device.close()));
  }
}
