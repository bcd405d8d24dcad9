import type { LayerInput } from '../../src/compression/layer-input.js';
import type { StatisticNeeds } from '../../src/core/attention-statistics.js';
import { AttentionRecorder } from '../../src/engine/attention-recorder.js';
import { chunkPlan } from '../../src/engine/chunk-plan.js';
import { floats } from '../../src/engine/runtime.js';
import { storeRows } from '../../src/engine/store-rows.js';
import type { Kernels } from './kernels.js';
import type { RandomPrompt } from './random-prompt.js';
import { tokenMajor } from './token-major.js';

/** Where a layer stands, what to record of it, and how large its chunks and buffers are. */
export interface PrefillOptions {
  readonly needs: StatisticNeeds;
  readonly chunkRows: number;
  readonly layer?: number;
  readonly layers?: number;
  readonly seed?: number;
  /** Rows of the buffers beyond the prompt, left NaN. */
  readonly slack?: number;
}

/** Runs a prompt through one layer's attention as prefill does, the last token a chunk of its own. */
export async function prefillLayer(
  kernels: Kernels,
  prompt: RandomPrompt,
  { needs, chunkRows, layer = 0, layers = 1, seed = 0, slack = 0 }: PrefillOptions,
): Promise<LayerInput> {
  const { kvHeads, headDim, length, modality } = prompt;
  const capacity = length + slack;
  const keys = new Float32Array(kvHeads * capacity * headDim).fill(Number.NaN);
  const values = keys.slice();
  const attend = await kernels.attention(prompt);
  const statistics = new AttentionRecorder(prompt);
  for (const { start, count } of chunkPlan(length, [length - 1], chunkRows)) {
    const rowsOf = (data: Float32Array, heads: number): Float32Array =>
      tokenMajor(data, { heads, headDim, length, from: start, to: start + count });
    const key = rowsOf(prompt.keys, kvHeads);
    const value = rowsOf(prompt.values, kvHeads);
    storeRows(keys, key, { start, count, heads: kvHeads, headDim, capacity });
    storeRows(values, value, { start, count, heads: kvHeads, headDim, capacity });
    const result = await attend({
      start,
      count,
      query: floats(rowsOf(prompt.queries, prompt.heads), [1, count, prompt.heads * headDim]),
      key: floats(key, [1, count, kvHeads * headDim]),
      value: floats(value, [1, count, kvHeads * headDim]),
      keys,
      values,
      capacity,
      needs,
    });
    statistics.add(result.statistics);
  }
  const place = { layer, layers, seed };
  return { ...place, heads: kvHeads, headDim, length, capacity, keys, values, modality, statistics };
}
