// The FBNet space (Wu et al., 2019) as in HW-NAS-Bench: 22 layers, one of nine blocks in each.

const BLOCKS = [
  { name: 'k3_e1', kernel: 3, expansion: 1, groups: 1 },
  { name: 'k3_e1_g2', kernel: 3, expansion: 1, groups: 2 },
  { name: 'k3_e3', kernel: 3, expansion: 3, groups: 1 },
  { name: 'k3_e6', kernel: 3, expansion: 6, groups: 1 },
  { name: 'k5_e1', kernel: 5, expansion: 1, groups: 1 },
  { name: 'k5_e1_g2', kernel: 5, expansion: 1, groups: 2 },
  { name: 'k5_e3', kernel: 5, expansion: 3, groups: 1 },
  { name: 'k5_e6', kernel: 5, expansion: 6, groups: 1 },
  { name: 'skip', kernel: 0, expansion: 0, groups: 1 },
];
/** Stages of the macro-architecture for images of 32 × 32: width, layers, stride of the first. */
const STAGES = [
  [16, 1, 1],
  [24, 4, 1],
  [32, 4, 2],
  [64, 4, 2],
  [112, 4, 1],
  [184, 4, 2],
  [352, 1, 1],
];

const LAYERS = createLayers();

function createLayers() {
  let channels = 16;
  let side = 32;
  return STAGES.flatMap(([width, depth, stride]) =>
    Array.from({ length: depth }, (_, i) => {
      const layer = { from: channels, to: width, sideIn: side, sideOut: i ? side : side / stride };
      channels = width;
      side = layer.sideOut;
      return layer;
    }),
  );
}

/** Block numbers of an architecture, or undefined for anything else. */
export function parseFbnet(value) {
  const fits =
    Array.isArray(value) &&
    value.length === LAYERS.length &&
    value.every((op) => Number.isInteger(op) && op >= 0 && op < BLOCKS.length);
  return fits ? value : undefined;
}

const names = BLOCKS.map(({ name }) => name);
export const fbnetSchema = {
  counts: names,
  accounts: [
    {
      name: 'layers',
      probability: 1,
      groups: [
        { name: 'fixed', columns: ['network'], share: 0.25 },
        { name: 'count', columns: ['launches', ...names], share: 0.15 },
        { name: 'macs', columns: ['macs', 'depthwise', 'early', 'late'], share: 0.35 },
        { name: 'bytes', columns: ['activations', 'early', 'late'], share: 0.25 },
        { name: 'weights', columns: ['weights'], share: 0 },
      ],
    },
  ],
};

/** Stages from here on are late: small images, many channels. */
const LATE_LAYER = 13;

/** Features of an architecture and its multiply–accumulates in millions. */
export function describeFbnet(ops) {
  const layers = ops.map((op, i) => workOf(BLOCKS[op], LAYERS[i]));
  const sum = (pick, keep = () => true) =>
    layers.reduce((total, layer, i) => total + (keep(i) ? pick(layer) : 0), 0);
  const late = (i) => i >= LATE_LAYER;
  const early = (i) => i < LATE_LAYER;
  const macs = ({ pointwise, depthwise }) => pointwise + depthwise;
  const bytes = ({ activations }) => activations;
  const counts = BLOCKS.map((_, op) => ops.filter((other) => other === op).length);
  const terms = [
    1,
    sum(({ launches }) => launches),
    ...BLOCKS.map((_, op) =>
      sum(
        ({ launches }) => launches,
        (i) => ops[i] === op,
      ),
    ),
    sum(macs),
    sum(({ depthwise }) => depthwise),
    sum(macs, early),
    sum(macs, late),
    sum(bytes),
    sum(bytes, early),
    sum(bytes, late),
    sum(({ weights }) => weights),
  ];
  return { features: { counts, accounts: [terms] }, flops: sum(macs) };
}

function workOf({ kernel, expansion, groups }, { from, to, sideIn, sideOut }) {
  const [areaIn, areaOut] = [sideIn ** 2 / 1e6, sideOut ** 2 / 1e6];
  if (kernel === 0) {
    const isIdentity = from === to && sideIn === sideOut;
    if (isIdentity) return { launches: 0, pointwise: 0, depthwise: 0, activations: 0, weights: 0 };
    const activations = from * areaIn + to * areaOut;
    const weights = (from * to) / 1e6;
    return { launches: 1, pointwise: from * to * areaOut, depthwise: 0, activations, weights };
  }
  const middle = from * expansion;
  return {
    launches: 3,
    pointwise: (from * middle * areaIn + middle * to * areaOut) / groups,
    depthwise: kernel ** 2 * middle * areaOut,
    activations: (from + 2 * middle) * areaIn + (2 * middle + to) * areaOut,
    weights: ((from * middle + middle * to) / groups + kernel ** 2 * middle) / 1e6,
  };
}
