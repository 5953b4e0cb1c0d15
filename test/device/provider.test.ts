import { describe, expect, it } from 'vitest';
import { createDevice } from '../../src/device/ort.js';
import {
  encodeOptions,
  parseDeviceName,
  providerIds,
  providers,
} from '../../src/device/provider.js';

const named = (id: string) => parseDeviceName(id, '--device');

describe('names of devices', () => {
  it('are those of providers, with a number where there can be several', () => {
    expect(named('cuda:1')).toEqual({ id: 'cuda:1', provider: 'cuda', number: 1 });
    expect(named('cuda:0')).toEqual(named('cuda'));
    for (const id of providerIds) expect(named(id)).toEqual({ id, provider: id, number: 0 });
  });

  it.each(['tpu', '', 'CUDA', 'cuda:', 'cuda:-1', 'cuda:x', 'cpu:0', 'webgpu:1'])(
    'are not %j',
    (id) => expect(() => named(id)).toThrow(/^--device: expected .*received /),
  );
});

describe('options of a device', () => {
  it('become the entries of ONNX Runtime', () => {
    const session = (...args: Parameters<typeof createDevice>) =>
      createDevice(...args).sessionOptions();
    expect(
      session({
        id: 'cuda:1',
        threads: 2,
        options: { arenaLimitBytes: 2 ** 30, graph: true, tuning: 'HEURISTIC', tunableOps: true },
      }),
    ).toEqual({
      threads: 2,
      optimization: 'all',
      provider: 'CUDA',
      providerOptions: {
        device_id: '1',
        gpu_mem_limit: '1073741824',
        enable_cuda_graph: '1',
        cudnn_conv_algo_search: 'HEURISTIC',
        tunable_op_enable: '1',
        tunable_op_tuning_enable: '1',
      },
    });
    expect(session({ id: 'tensorrt', options: { fp16: true, tuning: 5 } }).providerOptions).toEqual(
      {
        device_id: '0',
        trt_fp16_enable: '1',
        trt_builder_optimization_level: '5',
      },
    );
    expect(session({ id: 'webgpu', options: { graph: false } }).providerOptions).toEqual({
      enableGraphCapture: '0',
    });
    expect(session({ id: 'coreml', options: { units: 'CPUAndGPU' } }).providerOptions).toEqual({
      MLComputeUnits: 'CPUAndGPU',
    });
    const { config, providerOptions } = session({ id: 'dml:2', options: { graph: true } });
    expect(config).toEqual({ 'ep.dml.enable_graph_capture': '1' });
    expect(providerOptions).toEqual({ device_id: '2' });
  });

  it('are the same from text, as flags and files give them', () => {
    const given = { arenaLimitBytes: '1048576', graph: 'on', tf32: 'off', tuning: 'DEFAULT' };
    expect(encodeOptions(named('cuda'), given)).toEqual(
      encodeOptions(named('cuda'), {
        arenaLimitBytes: 2 ** 20,
        graph: true,
        tf32: false,
        tuning: 'DEFAULT',
      }),
    );
  });

  it('are refused where the provider has them not, with those it has', () => {
    for (const id of providerIds) {
      const known = Object.keys(providers[id].options).join(', ');
      for (const name of ['nope', 'toString', '__proto__']) {
        expect(() => encodeOptions(named(id), Object.fromEntries([[name, 'on']]))).toThrow(
          `device ${id}: expected an option of it: ${known}; received ${name}`,
        );
      }
    }
    expect(() => createDevice({ id: 'cpu', options: { fp16: true } as object })).toThrow(
      /expected an option of it: spin, flushDenormals; received fp16/,
    );
  });

  it.each([
    ['cuda', 'graph', 'maybe', /option graph: expected on or off, received maybe/],
    ['cuda', 'arenaLimitBytes', -1, /whole number from 0 to \d+, received -1/],
    ['cuda', 'arenaLimitBytes', '1e9', /received 1e9/],
    ['tensorrt', 'tuning', 6, /from 0 to 5, received 6/],
    ['webgpu', 'layout', 'nchw', /option layout: expected NCHW, NHWC, received nchw/],
  ] as const)('of %s: %s is not %j', (id, name, value, message) => {
    expect(() => encodeOptions(named(id), { [name]: value })).toThrow(message);
  });
});
