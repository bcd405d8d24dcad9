import type { Decoding } from '../config/protocols.js';
import { type DecodeStart, type Generation, type GenerationOptions, generate } from '../engine/decode.js';
import { generateTogether } from '../engine/decode-together.js';
import type { LanguageModel } from '../engine/language-model.js';
import { LayerCache } from '../engine/layer-cache.js';
import type { TakenRows } from './row-store.js';

/** Cells that decode as one, because their caches are identical. */
export interface DecodeGroup {
  /** The rows of a layer, given up to the decoder; asked for once. */
  take(layer: number): Promise<TakenRows>;
  /** Bytes that the cache takes while it decodes. */
  readonly bytes: number;
  readonly start: DecodeStart;
  readonly onLogits: ((logits: Float32Array) => void) | undefined;
}

/** What a group answered. */
export interface DecodedGroup {
  readonly generation: Generation;
  /** K and V bytes of all layers after the last decode step. */
  readonly bytesEnd: number;
}

interface Decoded {
  /** In the order of the groups. */
  readonly decoded: DecodedGroup[];
  /** Of all decode steps. */
  readonly milliseconds: number;
}

/**
 * Decodes the groups of a sample in their order.
 *
 * @param limit bytes of the caches that may be taken at once by groups decoding together; one group is always taken
 */
export async function decodeGroups(
  model: LanguageModel,
  groups: readonly DecodeGroup[],
  { mode, limit, options }: { mode: Decoding; limit: number; options: GenerationOptions },
): Promise<Decoded> {
  const decoded: DecodedGroup[] = [];
  let milliseconds = 0;
  const parts = mode === 'alone' ? groups.map((group) => [group]) : partsWithin(groups, limit);
  const decode = mode === 'alone' ? decodeAlone : decodeTogether;
  for (const part of parts) {
    const result = await decode(model, part, options);
    decoded.push(...result.decoded);
    milliseconds += result.milliseconds;
  }
  return { decoded, milliseconds };
}

/** Cuts the groups into runs of neighbours whose caches fit. */
function partsWithin(groups: readonly DecodeGroup[], limit: number): DecodeGroup[][] {
  const parts: DecodeGroup[][] = [];
  let free = 0;
  for (const group of groups) {
    if (parts.length === 0 || group.bytes > free) {
      parts.push([]);
      free = limit;
    }
    parts.at(-1)!.push(group);
    free -= group.bytes;
  }
  return parts;
}

async function decodeTogether(
  model: LanguageModel,
  groups: readonly DecodeGroup[],
  options: GenerationOptions,
): Promise<Decoded> {
  const { answers, milliseconds } = await generateTogether(model, groups, options);
  return { decoded: answers, milliseconds };
}

async function decodeAlone(
  model: LanguageModel,
  groups: readonly DecodeGroup[],
  options: GenerationOptions,
): Promise<Decoded> {
  const { kvHeads: heads, headDim, layers } = model.config;
  const decoded: DecodedGroup[] = [];
  let milliseconds = 0;
  for (const { take, start, onLogits } of groups) {
    const caches: LayerCache[] = [];
    for (let layer = 0; layer < layers; layer++) {
      const { rows, capacity, ...buffers } = await take(layer);
      caches.push(new LayerCache({ heads, headDim, rows, capacity, buffers }));
    }
    const generation = await generate(model, caches, start, options, onLogits);
    milliseconds += generation.steps.reduce((total, step) => total + step, 0);
    decoded.push({ generation, bytesEnd: caches.reduce((total, cache) => total + cache.liveBytes(), 0) });
    for (const { buffers } of caches) {
      model.pool.give(buffers.keys);
      model.pool.give(buffers.values);
    }
  }
  return { decoded, milliseconds };
}
