import type { LayerRows } from '../../core/layer-rows.js';
import type { Pairing } from './merge-rule.js';

/** How many tokens a pairing adds to each row: [heads, rows]. */
export function countRows({ pairs, targets }: Pairing, heads: number, rows: number): Int32Array {
  const counts = new Int32Array(heads * rows);
  for (let head = 0; head < heads; head++) {
    const last = (head + 1) * pairs;
    for (let i = head * pairs; i < last; i++) counts[head * rows + targets[i]!]!++;
  }
  return counts;
}

/** Floats added in one step of the fast loop. */
const stepFloats = 8;

interface Addition {
  /** [heads, rows, headDim]. */
  readonly sums: Float32Array;
  readonly rows: number;
  /** [heads, capacity, headDim]: keys or values of the layer. */
  readonly source: Float32Array;
  readonly layer: Pick<LayerRows, 'heads' | 'headDim' | 'capacity'>;
  readonly pairing: Pairing;
}

/**
 * Adds what a pairing says to the sums of every head: `sums[target] += weight * source[position]`. Rounding each
 * addition to float32 keeps the arithmetic in single precision, which is half the work of double.
 */
export function addRows(addition: Addition): void {
  const { pairing, layer } = addition;
  const inSteps = layer.headDim % stepFloats === 0;
  if (pairing.weights === null) {
    if (inSteps) addInSteps(addition);
    else addOneByOne(addition, null);
  } else if (inSteps) addWeightedInSteps(addition, pairing.weights);
  else addOneByOne(addition, pairing.weights);
}

function addInSteps({ sums, rows, source, layer, pairing }: Addition): void {
  const single = Math.fround;
  const { pairs, positions, targets } = pairing;
  const { heads, headDim: width, capacity } = layer;
  for (let head = 0; head < heads; head++) {
    const last = (head + 1) * pairs;
    for (let i = head * pairs; i < last; i++) {
      let from = (head * capacity + positions[i]!) * width;
      let to = (head * rows + targets[i]!) * width;
      for (const end = from + width; from < end; from += stepFloats, to += stepFloats) {
        sums[to] = single(sums[to]! + source[from]!);
        sums[to + 1] = single(sums[to + 1]! + source[from + 1]!);
        sums[to + 2] = single(sums[to + 2]! + source[from + 2]!);
        sums[to + 3] = single(sums[to + 3]! + source[from + 3]!);
        sums[to + 4] = single(sums[to + 4]! + source[from + 4]!);
        sums[to + 5] = single(sums[to + 5]! + source[from + 5]!);
        sums[to + 6] = single(sums[to + 6]! + source[from + 6]!);
        sums[to + 7] = single(sums[to + 7]! + source[from + 7]!);
      }
    }
  }
}

function addWeightedInSteps({ sums, rows, source, layer, pairing }: Addition, weights: Float32Array): void {
  const single = Math.fround;
  const { pairs, positions, targets } = pairing;
  const { heads, headDim: width, capacity } = layer;
  for (let head = 0; head < heads; head++) {
    const last = (head + 1) * pairs;
    for (let i = head * pairs; i < last; i++) {
      const weight = weights[i]!;
      let from = (head * capacity + positions[i]!) * width;
      let to = (head * rows + targets[i]!) * width;
      for (const end = from + width; from < end; from += stepFloats, to += stepFloats) {
        sums[to] = single(sums[to]! + single(weight * source[from]!));
        sums[to + 1] = single(sums[to + 1]! + single(weight * source[from + 1]!));
        sums[to + 2] = single(sums[to + 2]! + single(weight * source[from + 2]!));
        sums[to + 3] = single(sums[to + 3]! + single(weight * source[from + 3]!));
        sums[to + 4] = single(sums[to + 4]! + single(weight * source[from + 4]!));
        sums[to + 5] = single(sums[to + 5]! + single(weight * source[from + 5]!));
        sums[to + 6] = single(sums[to + 6]! + single(weight * source[from + 6]!));
        sums[to + 7] = single(sums[to + 7]! + single(weight * source[from + 7]!));
      }
    }
  }
}

/** For head sizes that are no multiple of a step. */
function addOneByOne({ sums, rows, source, layer, pairing }: Addition, weights: Float32Array | null): void {
  const { pairs, positions, targets } = pairing;
  const { heads, headDim: width, capacity } = layer;
  for (let head = 0; head < heads; head++) {
    const last = (head + 1) * pairs;
    for (let i = head * pairs; i < last; i++) {
      const weight = weights === null ? 1 : weights[i]!;
      const from = (head * capacity + positions[i]!) * width;
      const to = (head * rows + targets[i]!) * width;
      for (let d = 0; d < width; d++) sums[to + d]! += weight * source[from + d]!;
    }
  }
}
