import type { CacheRows } from '../compression/compressed-layer.js';
import type { Decoding } from '../config/protocols.js';
import { type DecodeStart, type Generation, type GenerationOptions, generate } from '../engine/decode.js';
import { generateTogether } from '../engine/decode-together.js';
import type { LanguageModel } from '../engine/language-model.js';
import { LayerCache } from '../engine/layer-cache.js';

/** Cells that decode as one, because their caches are identical. */
export interface DecodeGroup {
  /** The rows of every layer, given up to the decoder. */
  take(): CacheRows[];
  readonly start: DecodeStart;
  readonly onLogits: ((logits: Float32Array) => void) | undefined;
}

/** What a group answered. */
export interface DecodedGroup {
  readonly generation: Generation;
  /** K and V bytes of all layers after the last decode step. */
  readonly bytesEnd: number;
}

/**
 * Decodes the groups of a sample.
 *
 * @returns one result a group, in their order, and the milliseconds of all decode steps
 */
export async function decodeGroups(
  model: LanguageModel,
  groups: readonly DecodeGroup[],
  mode: Decoding,
  options: GenerationOptions,
): Promise<{ readonly decoded: DecodedGroup[]; readonly milliseconds: number }> {
  if (mode === 'together') {
    const rows = groups.map(({ take }) => take());
    const sequences = groups.map(({ start, onLogits }, i) => ({ rows: rows[i]!, start, onLogits }));
    const { answers, milliseconds } = await generateTogether(model, sequences, options);
    for (const layer of rows.flat()) giveBack(model, layer);
    return { decoded: answers, milliseconds };
  }
  const { kvHeads: heads, headDim } = model.config;
  const decoded: DecodedGroup[] = [];
  let milliseconds = 0;
  for (const { take, start, onLogits } of groups) {
    const caches = take().map((layer) => new LayerCache({ heads, headDim, ...layer }));
    const generation = await generate(model, caches, start, options, onLogits);
    milliseconds += generation.steps.reduce((total, step) => total + step, 0);
    decoded.push({ generation, bytesEnd: caches.reduce((total, cache) => total + cache.liveBytes(), 0) });
    for (const cache of caches) giveBack(model, cache);
  }
  return { decoded, milliseconds };
}

function giveBack({ pool }: LanguageModel, { keys, values }: Pick<CacheRows, 'keys' | 'values'>): void {
  pool.give(keys);
  pool.give(values);
}
