import type { FloatPool } from '../../core/float-pool.js';
import type { MergeTrace } from '../compressed-layer.js';
import { gatherRows } from '../gather-rows.js';
import type { LayerInput } from '../layer-input.js';
import type { Selection } from '../select/recent-and-important.js';
import type { NearestKeySearch } from './nearest-key.js';

/** Folds the evicted tokens of one head into its conserved rows, in place. */
export type MergeRule = (options: {
  /** [rowCount, headDim] of one head. */
  rows: Float32Array;
  rowCount: number;
  headDim: number;
  /** [*, headDim] of the same head: the cache before eviction. */
  source: Float32Array;
  /** Positions in `source`, ascending. */
  evicted: Int32Array;
  /** Row that each evicted token is assigned to. */
  targets: Int32Array;
  /** Scratch of at least rowCount * headDim floats. */
  sums: Float32Array;
}) => void;

/** Similarities held at once: 64 MiB of float32. More heads a run is not faster, and costs memory. */
const mostSimilarities = 16 * 1024 * 1024;
const mostHeadsPerRun = 8;

/** Positions not in the selection, ascending: [heads, length - rows]. */
function evictedPositions(heads: number, length: number, { rows, kept }: Selection): Int32Array {
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
 * Assigns every evicted token to its nearest conserved key and merges keys and values alike: the assignment
 * always comes from the keys. Source: LOOK-M, KV pairs merging; modify_llama.py.
 *
 * @param keys [heads, capacity, headDim] conserved keys, merged in place
 * @param values [heads, capacity, headDim] conserved values, merged in place
 */
export async function mergeEvicted(options: {
  layer: LayerInput;
  selection: Selection;
  capacity: number;
  keys: Float32Array;
  values: Float32Array;
  rule: MergeRule;
  nearestKeys: NearestKeySearch;
  pool: FloatPool;
}): Promise<MergeTrace> {
  const { layer, selection, capacity, keys, values, rule, nearestKeys, pool } = options;
  const { heads, headDim, length } = layer;
  const { rows } = selection;
  const evictedRows = length - rows;
  const evicted = evictedPositions(heads, length, selection);
  const targets = new Int32Array(heads * evictedRows);
  const sums = pool.take(rows * headDim);
  const group = Math.max(
    1,
    Math.min(mostHeadsPerRun, heads, Math.floor(mostSimilarities / (evictedRows * rows))),
  );
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
  for (let head = 0; head < heads; head++) {
    for (const [conserved, full] of [
      [keys, layer.keys],
      [values, layer.values],
    ] as const) {
      rule({
        rows: conserved.subarray(head * capacity * headDim, (head * capacity + rows) * headDim),
        rowCount: rows,
        headDim,
        source: full.subarray(head * layer.capacity * headDim, (head * layer.capacity + length) * headDim),
        evicted: evicted.subarray(head * evictedRows, (head + 1) * evictedRows),
        targets: targets.subarray(head * evictedRows, (head + 1) * evictedRows),
        sums,
      });
    }
  }
  for (const scratch of [sums, evictedKeys, conservedKeys]) pool.give(scratch);
  return { evicted, targets };
}
