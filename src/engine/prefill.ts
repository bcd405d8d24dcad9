import type { AttentionStatistics, StatisticNeeds } from '../core/attention-statistics.js';
import { invariant } from '../core/errors.js';
import type { LayerRows } from '../core/layer-rows.js';
import { AttentionRecorder } from './attention-recorder.js';
import { chunkPlan } from './chunk-plan.js';
import { ChunkRows, segmentRows } from './chunk-rows.js';
import type { LanguageModel } from './language-model.js';

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
  const chunks = chunkPlan(length, [length - 1]).map(
    (chunk) => new ChunkRows(chunk, embeddings, { hiddenSize, rows: segmentRows(config), pool }),
  );
  // Rows not written yet hold whatever was there: the kernels read none of them, as the self-test checks.
  const keys = pool.take(kvHeads * length * headDim);
  const values = pool.take(kvHeads * length * headDim);
  for (let layer = 0; layer < config.layers; layer++) {
    const statistics = new AttentionRecorder(config);
    const needs = needsOf(layer);
    for (const rows of chunks) {
      const projections = await rows.project(segments[layer]!);
      const result = await model.attention.prefill({
        ...rows.chunk,
        ...projections,
        keys,
        values,
        capacity: length,
        needs,
      });
      rows.attended(result.attention);
      statistics.add(result.statistics);
    }
    await onLayer({ layer, heads: kvHeads, headDim, length, capacity: length, keys, values, statistics });
  }
  pool.give(keys);
  pool.give(values);
  return chunks.at(-1)!.logits(segments[config.layers]!);
}
