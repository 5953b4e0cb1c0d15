/** Graphs within a node: If, Loop, Scan. Bodies read `w0`, `w1` … from around them. */
import type { Graph } from '../../../src/ir/graph.js';
import { parseGraph } from '../../../src/ir/text/parse.js';
import { type ConstantInput, type GradientCases, x } from './case.js';

/** A nested graph in ONNX's text. */
const body = (text: string): Graph =>
  parseGraph(`<ir_version: 8, opset_import: ["" : 17]> ${text}`);
const bool = (value: number): ConstantInput => ({ dims: [], values: [value], dtype: 'bool' });
const int = (value: number): ConstantInput => ({ dims: [], values: [value] });

const branches = {
  then_branch: body('then () => (float[2, 3] y) { p = Mul(w0, w1) y = Tanh(p) }'),
  else_branch: body('else () => (float[2, 3] z) { p = Mul(w0, w0) z = Add(p, w1) }'),
};

export const controlCases: GradientCases = {
  If: [
    {
      about: 'then',
      inputs: [bool(1)],
      captured: [x(2, 3), x(3)],
      attributes: branches,
      asIs: true,
    },
    {
      about: 'else',
      inputs: [bool(0)],
      captured: [x(2, 3), x(3)],
      attributes: branches,
      asIs: true,
    },
    {
      about: 'one in another, two outputs',
      inputs: [bool(1)],
      captured: [x(3)],
      attributes: {
        then_branch: body(`outer () => (float[3] y, float[3] z) <bool yes = {1}> {
          p = Exp(w0)
          y = If (yes) <
            then_branch = inner () => (float[3] q) { q = Mul(p, w0) },
            else_branch = other () => (float[3] r) { r = Identity(p) }
          >
          z = Sin(p)
        }`),
        else_branch: body('none () => (float[3] y, float[3] z) { y = Neg(w0) z = Abs(w0) }'),
      },
      outputs: 2,
      seeded: [0, 1],
      asIs: true,
    },
  ],
  Loop: [
    {
      about: 'a number of turns, with weights of its own and from outside',
      inputs: [int(3), undefined, x(2, 3)],
      captured: [x(3, 3)],
      attributes: {
        body: body(`turn (int64 i, bool on, float[2, 3] h) => (bool on2, float[2, 3] h2, float[2, 3] s)
          <float[3] b = {0.5, -0.25, 1}> {
          on2 = Identity(on)
          p = MatMul(h, w0)
          q = Add(p, b)
          h2 = Tanh(q)
          s = Mul(h2, h)
        }`),
      },
      outputs: 2,
      seeded: [0, 1],
      asIs: true,
    },
    {
      about: 'until its condition, which follows from the turn',
      inputs: [undefined, bool(1), x(3), x()],
      attributes: {
        body: body(`turn (int64 i, bool on, float[3] h, float g) => (bool on2, float[3] h2, float g2) {
          two = Constant <value_int = 2> ()
          on2 = Less(i, two)
          h2 = Mul(h, g)
          third = Constant <value_float = 0.3> ()
          g2 = Add(g, third)
        }`),
      },
      outputs: 2,
      seeded: [0, 1],
      asIs: true,
    },
    {
      about: 'no turns',
      inputs: [int(0), bool(1), x(3)],
      attributes: {
        body: body('turn (int64 i, bool on, float[3] h) => (bool on, float[3] h2) { h2 = Exp(h) }'),
      },
    },
  ],
  Scan: [
    {
      about: 'a linear recurrence with weights from outside',
      inputs: [x(2, 3), x(4, 2, 3)],
      captured: [x(3)],
      attributes: {
        body: body(`step (float[2, 3] h, float[2, 3] u) => (float[2, 3] h2, float[2, 3] y) {
          p = Mul(h, w0)
          h2 = Add(p, u)
          y = Tanh(h2)
        }`),
        num_scan_inputs: 1,
      },
      outputs: 2,
      seeded: [0, 1],
      asIs: true,
    },
    {
      about: 'axes and directions',
      inputs: [x(2), x(2, 3), x(3, 2)],
      attributes: {
        body: body(`step (float[2] h, float[2] u, float[2] v) => (float[2] h2, float[2] y, float[2] z) {
          p = Mul(u, v)
          h2 = Add(p, h)
          y = Mul(h2, u)
          z = Sin(h2)
        }`),
        num_scan_inputs: 2,
        scan_input_axes: [-1, 0],
        scan_input_directions: [1, 0],
        scan_output_axes: [1, -1],
        scan_output_directions: [0, 1],
      },
      outputs: 3,
      seeded: [0, 1, 2],
      asIs: true,
    },
    {
      about: 'one step, no state',
      inputs: [x(1, 3)],
      attributes: {
        body: body('step (float[3] u) => (float[3] y) { y = Exp(u) }'),
        num_scan_inputs: 1,
      },
      asIs: true,
    },
  ],
};
