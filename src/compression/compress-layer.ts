import type { FloatPool } from '../core/float-pool.js';
import type { CompressedLayer, Outcome } from './compressed-layer.js';
import { gatherRows } from './gather-rows.js';
import { type LayerInput, rowBudget } from './layer-input.js';
import { mergeEvicted } from './merge/merge-evicted.js';
import type { NearestKeySearch } from './merge/nearest-key.js';
import type { Method } from './method.js';
import type { Selection } from './select/recent-and-important.js';

export interface CompressionTools {
  readonly nearestKeys: NearestKeySearch;
  /** Rows to allocate per head for a layer that starts with `rows`; at least `rows`. */
  readonly capacityFor: (rows: number) => number;
  /** Where the arrays of the result and scratch come from. */
  readonly pool: FloatPool;
}

/**
 * Runs one method on one layer. The input is not changed and not referred to by the result.
 *
 * @param ratio the budget as ratios of the prompt length; ignored by the full cache
 */
export async function compressLayer(
  layer: LayerInput,
  method: Method,
  ratio: { recent: number; important: number },
  tools: CompressionTools,
): Promise<CompressedLayer> {
  const { stages } = method;
  if (stages === null) return keepAll(layer, 'full cache', tools);
  const budget = rowBudget(layer.length, ratio);
  const reason = reasonToKeepAll(layer, budget.recent + budget.important, stages.zeroBudget);
  if (reason !== null) return keepAll(layer, reason, tools);
  const selection = stages.select(layer, budget, stages.score(layer), stages.prior?.(layer) ?? null);
  const compressed = evict(layer, selection, { kind: 'compressed' }, tools);
  if (stages.merge === null || selection.rows === layer.length || selection.rows === 0) return compressed;
  const { capacity, keys, values } = compressed;
  const { nearestKeys, pool } = tools;
  const merged = await mergeEvicted({
    layer,
    selection,
    capacity,
    keys,
    values,
    rule: stages.merge,
    nearestKeys,
    pool,
  });
  return { ...compressed, merged };
}

type KeepAllReason = Extract<Outcome, { kind: 'unchanged' }>['reason'];

/** The release compresses only prompts with an image (modify_llama.py:1417) that exceed the budget (:272). */
function reasonToKeepAll(
  layer: LayerInput,
  budgetRows: number,
  zeroBudget: 'empty cache' | 'full cache',
): KeepAllReason | null {
  if (!layer.modality.subarray(0, layer.length).includes(1)) return 'no image in the prompt';
  if (layer.length <= budgetRows) return 'prompt within budget';
  if (budgetRows === 0 && zeroBudget === 'full cache') return 'zero budget';
  return null;
}

function keepAll(layer: LayerInput, reason: KeepAllReason, tools: CompressionTools): CompressedLayer {
  const kept = new Int32Array(layer.heads * layer.length);
  for (let i = 0; i < kept.length; i++) kept[i] = i % layer.length;
  return evict(layer, { rows: layer.length, kept }, { kind: 'unchanged', reason }, tools);
}

function evict(
  layer: LayerInput,
  { rows, kept }: Selection,
  outcome: Outcome,
  tools: CompressionTools,
): CompressedLayer {
  const { heads, headDim } = layer;
  const capacity = tools.capacityFor(rows);
  const gather = (source: Float32Array): Float32Array => {
    const target = tools.pool.take(heads * capacity * headDim);
    for (let head = 0; head < heads; head++) {
      gatherRows({
        target,
        targetRow: head * capacity,
        source,
        sourceRow: head * layer.capacity,
        width: headDim,
        positions: kept.subarray(head * rows, (head + 1) * rows),
      });
      // Masked rows still take part in a product with zero, which must not meet a NaN of earlier use.
      target.fill(0, (head * capacity + rows) * headDim, (head + 1) * capacity * headDim);
    }
    return target;
  };
  return { outcome, rows, capacity, keys: gather(layer.keys), values: gather(layer.values), kept };
}
