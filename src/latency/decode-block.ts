import { argmax, type DecodeStart, decodeStep, firstPosition } from '../engine/decode.js';
import type { PlacedToken } from '../engine/decoder-pass.js';
import type { LanguageModel } from '../engine/language-model.js';
import type { LayerCache } from '../engine/layer-cache.js';
import type { Runtime } from '../engine/runtime.js';

/** Steps of one cell, all from the same state. */
export interface DecodedBlock {
  /** Milliseconds of every step, and what of it was inside ONNX Runtime. */
  readonly steps: readonly number[];
  readonly runtime: readonly number[];
  /** What each step chose. */
  readonly tokens: readonly number[];
}

/**
 * Decodes a fixed number of tokens greedily; an end-of-sequence token is a token like any other. A step is timed from the
 * embedding of one token to that of the next: decoder, cache growth, choice and lookup.
 *
 * @param cache as compression left it; it grows by a row a step
 * @param options.embed the embedding [hiddenSize] of a token
 * @param options.afterStep called outside of what is timed
 */
export async function decodeBlock(
  { model, runtime }: { readonly model: LanguageModel; readonly runtime: Runtime },
  cache: readonly LayerCache[],
  start: DecodeStart,
  {
    steps,
    embed,
    afterStep = () => {},
  }: {
    readonly steps: number;
    readonly embed: (token: number) => Float32Array;
    readonly afterStep?: () => void;
  },
): Promise<DecodedBlock> {
  const block = { steps: [] as number[], runtime: [] as number[], tokens: [] as number[] };
  let position = firstPosition(start);
  let next: PlacedToken =
    start.kind === 'token' ? start : { embedding: embed(argmax(start.logits)), position: position++ };
  for (let step = 0; step < steps; step++) {
    const inside = runtime.milliseconds;
    const begin = performance.now();
    const token = argmax(await decodeStep(model, cache, next));
    next = { embedding: embed(token), position: position++ };
    block.steps.push(performance.now() - begin);
    block.runtime.push(runtime.milliseconds - inside);
    block.tokens.push(token);
    afterStep();
  }
  return block;
}
