import type { AttentionStatistics, StatisticNeeds } from '../core/attention-statistics.js';
import { invariant } from '../core/errors.js';
import type { LayerRows } from '../core/layer-rows.js';
import { AttentionRecorder } from './attention-recorder.js';
import { type Chunk, chunkPlan } from './chunk-plan.js';
import type { LanguageModel } from './language-model.js';
import { floatData, floats, int64s, type Tensor } from './runtime.js';
import { storeRows } from './store-rows.js';

/** K, V and attention statistics of one layer over the whole prompt. Valid until the layer callback returns. */
export interface PrefilledLayer extends LayerRows {
  readonly layer: number;
  readonly statistics: AttentionStatistics;
}

/** What a caller wants of a prefill. */
export interface PrefillWatch {
  /** What to record of a layer's attention beyond the column sums. */
  needs(layer: number): StatisticNeeds;
  /** Sees a layer when all chunks are through it. */
  onLayer(layer: PrefilledLayer): Promise<void>;
}

/**
 * Layer-major prefill: all chunks pass through one layer before the next one starts, so only one layer's full K
 * and V are alive, and `onLayer` can compress them before they are overwritten. The last prompt token is a chunk
 * of its own: column sums then exist both with and without the last query, which the two first-token protocols
 * need. After the last layer only that token goes on to the logits.
 *
 * @param embeddings [length, hiddenSize]
 * @returns logits of the last token, [vocabSize]
 */
export async function prefill(
  model: LanguageModel,
  embeddings: Float32Array,
  { needs: needsOf, onLayer }: PrefillWatch,
): Promise<Float32Array> {
  const { config, segments, counters, pool } = model;
  counters.prefills++;
  const { hiddenSize, headDim, kvHeads } = config;
  const length = embeddings.length / hiddenSize;
  invariant(Number.isInteger(length) && length > 0, 'embeddings are whole rows');
  const chunks = chunkPlan(length, [length - 1]);
  const hidden = chunks.map(({ start, count }) =>
    floats(embeddings.subarray(start * hiddenSize, (start + count) * hiddenSize), [1, count, hiddenSize]),
  );
  const positions = chunks.map((chunk) => int64s(positionsOf(chunk), [1, chunk.count]));
  const attention: Tensor[] = [];
  // Rows not written yet hold whatever was there: the kernels read none of them, as the self-test checks.
  const keys = pool.take(kvHeads * length * headDim);
  const values = pool.take(kvHeads * length * headDim);
  for (let layer = 0; layer < config.layers; layer++) {
    const statistics = new AttentionRecorder(config);
    const needs = needsOf(layer);
    for (const [index, chunk] of chunks.entries()) {
      const { start, count } = chunk;
      const result = await segments[layer]!.run({
        hidden: hidden[index]!,
        positions: positions[index]!,
        ...(layer === 0 ? {} : { attention: attention[index]! }),
      });
      if (layer > 0) hidden[index] = result['hidden_out']!;
      const key = result['k']!;
      const value = result['v']!;
      storeRows(keys, floatData(key), { start, count, heads: kvHeads, headDim, capacity: length });
      storeRows(values, floatData(value), { start, count, heads: kvHeads, headDim, capacity: length });
      const query = result['q']!;
      const chunkResult = await model.prefillAttention({
        start,
        count,
        query,
        key,
        value,
        keys,
        values,
        capacity: length,
        needs,
      });
      attention[index] = chunkResult.attention;
      statistics.add(chunkResult.statistics);
    }
    await onLayer({ layer, heads: kvHeads, headDim, length, capacity: length, keys, values, statistics });
  }
  pool.give(keys);
  pool.give(values);
  const last = chunks.length - 1;
  const result = await segments[config.layers]!.run({ hidden: hidden[last]!, attention: attention[last]! });
  return floatData(result['logits']!);
}

function positionsOf({ start, count }: Chunk): number[] {
  return Array.from({ length: count }, (_, i) => start + i);
}
