/** Graphs with nested graphs, in ONNX's text. */
import type { Graph } from '../../src/ir/graph.js';
import { parseGraph } from '../../src/ir/text/parse.js';

/** A graph of operator set 17, or another. */
export const graphOf = (text: string, opset = 17): Graph =>
  parseGraph(`<ir_version: 8, opset_import: ["" : ${opset}]> ${text}`);

/** z = x·w where `condition` holds, else x + b in rows; `w` and `b` are stored around the branches. */
export const choosing = (condition: string): Graph =>
  graphOf(`choosing (float[N, 3] x, bool c) => (float[] z) <
      float[3, 3] w = {1, 2, 3, 4, 5, 6, 7, 8, 9},
      float[3] b = {0.5, 1.5, 2.5},
      bool yes = {1},
      bool no = {0}
    > {
      z = If (${condition}) <
        then_branch = product () => (float[] p) { p = MatMul(x, w) },
        else_branch = total () => (float[] q) {
          s = Add(x, b)
          t = Concat <axis = 0> (s, s)
          q = Relu(t)
        }
      >
    }`);

/** h ← tanh(h·w) for five turns; every h and the last. */
export const looping = graphOf(`looping (float[2, 3] x) => (float[] last, float[] all) <
    float[3, 3] w = {0.5, 0, 0.25, -0.5, 1, 0, 0, 0.25, 0.75},
    int64 turns = {5}
  > {
    last, all = Loop (turns, "", x) <
      body = turn (int64 i, bool on, float[2, 3] h) => (bool on2, float[] n, float[] copy) {
        on2 = Identity(on)
        p = MatMul(h, w)
        n = Tanh(p)
        copy = Identity(n)
      }
    >
  }`);

/** h ← a∘h + u over the middle axis of u, backwards; y = h·c of each step, along the last axis. */
export const scanning =
  graphOf(`scanning (float[N, T, 4] u, float[N, 4] h0) => (float[] h, float[] y) <
    float[4] a = {0.5, 0.75, 0.25, 1},
    float[4, 2] c = {1, 0, 0, 1, 1, 1, -1, 0.5}
  > {
    h, y = Scan (h0, u) <
      num_scan_inputs = 1,
      scan_input_axes = [1],
      scan_input_directions = [1],
      scan_output_axes = [-1],
      body = step (float[N, 4] s, float[N, 4] v) => (float[] n, float[] o) {
        p = Mul(s, a)
        n = Add(p, v)
        o = MatMul(n, c)
      }
    >
  }`);
