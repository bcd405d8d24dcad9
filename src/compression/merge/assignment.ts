import { dot } from '../../core/dot.js';
import type { FloatPool } from '../../core/float-pool.js';
import { pairwiseMean } from '../../core/pairwise-mean.js';
import { gatherRows } from '../gather-rows.js';
import type { LayerInput } from '../layer-input.js';
import type { Selection } from '../select/selection.js';
import type { NearestKeySearch } from './nearest-key.js';

/** Similarities held at once: 64 MiB of float32. More heads a run is not faster, and costs memory. */
const mostSimilarities = 16 * 1024 * 1024;
const mostHeadsPerRun = 8;

/** Which conserved row every evicted token of a selection is nearest to. */
export class Assignment {
  readonly layer: LayerInput;
  readonly selection: Selection;
  /** Evicted tokens per head. */
  readonly evictedRows: number;
  /** [heads, evictedRows]: prompt positions, ascending. */
  readonly evicted: Int32Array;
  /** [heads, evictedRows]: row of the selection whose key is nearest. */
  readonly targets: Int32Array;
  /** [heads, length]: lengths of the layer's keys. */
  readonly norms: Float64Array;
  #similarities: Float32Array | null = null;
  #passing: Int32Array | null = null;

  constructor(
    layer: LayerInput,
    selection: Selection,
    found: { readonly evicted: Int32Array; readonly targets: Int32Array; readonly norms: Float64Array },
  ) {
    const { evicted, targets, norms } = found;
    this.layer = layer;
    this.norms = norms;
    this.selection = selection;
    this.evictedRows = layer.length - selection.rows;
    this.evicted = evicted;
    this.targets = targets;
  }

  /**
   * Cosine similarity of every evicted key to its target: [heads, evictedRows]. A key without length has no direction:
   * NaN, as in the release.
   */
  get similarities(): Float32Array {
    this.#similarities ??= similaritiesOf(this);
    return this.#similarities;
  }

  /**
   * The release's filter (modify_llama.py:405), as ascending numbers among the evicted: only tokens whose similarity,
   * averaged over the heads, reaches the mean of all; one filter for all heads. A key without length makes that mean NaN,
   * and nothing passes.
   */
  get passing(): Int32Array {
    this.#passing ??= passingOf(this);
    return this.#passing;
  }

  /** For every head the first conserved row whose key has no length, or -1. */
  lengthlessRows(): Int32Array {
    const { heads, length } = this.layer;
    const { rows, kept } = this.selection;
    return Int32Array.from({ length: heads }, (_, head) => {
      let row = 0;
      while (row < rows && this.norms[head * length + kept[head * rows + row]!]! > 0) row++;
      return row === rows ? -1 : row;
    });
  }
}

function similaritiesOf({
  layer,
  norms,
  selection,
  evictedRows,
  evicted,
  targets,
}: Assignment): Float32Array {
  const { heads, headDim, length, capacity, keys } = layer;
  const { rows, kept } = selection;
  const found = new Float32Array(evicted.length);
  for (let head = 0; head < heads; head++) {
    for (let e = head * evictedRows; e < (head + 1) * evictedRows; e++) {
      const own = evicted[e]!;
      const other = kept[head * rows + targets[e]!]!;
      const product = dot(
        keys,
        (head * capacity + own) * headDim,
        (head * capacity + other) * headDim,
        headDim,
      );
      found[e] = product / (norms[head * length + own]! * norms[head * length + other]!);
    }
  }
  return found;
}

function passingOf(assignment: Assignment): Int32Array {
  const { similarities, evictedRows, layer } = assignment;
  const mean = pairwiseMean(similarities);
  const columns = new Int32Array(evictedRows);
  let count = 0;
  for (let e = 0; e < evictedRows; e++) {
    let sum = 0;
    for (let head = 0; head < layer.heads; head++) sum += similarities[head * evictedRows + e]!;
    if (sum / layer.heads >= mean) columns[count++] = e;
  }
  const undefinedMean = assignment.lengthlessRows().some((row) => row !== -1);
  return columns.subarray(0, undefinedMean ? 0 : count);
}

/** Positions not in the selection, ascending: [heads, length - rows]. */
function evictedPositions({ heads, length }: LayerInput, { rows, kept }: Selection): Int32Array {
  const evicted = new Int32Array(heads * (length - rows));
  const isKept = new Uint8Array(length);
  let next = 0;
  for (let head = 0; head < heads; head++) {
    isKept.fill(0);
    for (let row = 0; row < rows; row++) isKept[kept[head * rows + row]!] = 1;
    for (let i = 0; i < length; i++) if (isKept[i] === 0) evicted[next++] = i;
  }
  return evicted;
}

/**
 * Assigns every evicted token to its nearest conserved key. Source: LOOK-M, equations 7 and 8; modify_llama.py.
 *
 * @param keys [heads, capacity, headDim] conserved keys, not merged yet
 */
export async function assignEvicted({
  layer,
  selection,
  keys,
  capacity,
  norms,
  nearestKeys,
  pool,
}: {
  readonly layer: LayerInput;
  readonly selection: Selection;
  readonly keys: Float32Array;
  readonly capacity: number;
  readonly norms: Float64Array;
  readonly nearestKeys: NearestKeySearch;
  readonly pool: FloatPool;
}): Promise<Assignment> {
  const { heads, headDim, length } = layer;
  const { rows } = selection;
  const evictedRows = length - rows;
  const evicted = evictedPositions(layer, selection);
  const targets = new Int32Array(heads * evictedRows);
  const fitting = Math.floor(mostSimilarities / (evictedRows * rows));
  const group = Math.max(1, Math.min(mostHeadsPerRun, heads, fitting));
  const evictedKeys = pool.take(group * evictedRows * headDim);
  const conservedKeys = pool.take(group * rows * headDim);
  for (let first = 0; first < heads; first += group) {
    const count = Math.min(group, heads - first);
    for (let g = 0; g < count; g++) {
      const head = first + g;
      gatherRows({
        target: evictedKeys,
        targetRow: g * evictedRows,
        source: layer.keys,
        sourceRow: head * layer.capacity,
        width: headDim,
        positions: evicted.subarray(head * evictedRows, (head + 1) * evictedRows),
      });
      const from = head * capacity * headDim;
      conservedKeys.set(keys.subarray(from, from + rows * headDim), g * rows * headDim);
    }
    const found = await nearestKeys({
      heads: count,
      headDim,
      evicted: { rows: evictedRows, data: evictedKeys.subarray(0, count * evictedRows * headDim) },
      conserved: { rows, data: conservedKeys.subarray(0, count * rows * headDim) },
    });
    targets.set(found, first * evictedRows);
  }
  pool.give(evictedKeys);
  pool.give(conservedKeys);
  return new Assignment(layer, selection, { evicted, targets, norms });
}
