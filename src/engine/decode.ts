import type { StopCheck, StopReason } from '../backbone/stop-criteria.js';
import type { LanguageModel } from './language-model.js';
import type { LayerCache } from './layer-cache.js';
import { floatData, floats, int64s, type Tensor } from './runtime.js';

/**
 * Runs one token through the decoder on a compressed cache, which grows by one row a layer.
 *
 * @param embedding [hiddenSize]
 * @param position the token's true position in the uncompressed sequence
 * @returns logits [vocabSize]
 */
export async function decodeStep(
  model: LanguageModel,
  cache: readonly LayerCache[],
  embedding: Float32Array,
  position: number,
): Promise<Float32Array> {
  const { config, segments, decodeAttention } = model;
  const positions = int64s([position], [1, 1]);
  let hidden = floats(embedding, [1, 1, config.hiddenSize]);
  let attention: Tensor | undefined;
  for (let layer = 0; layer < config.layers; layer++) {
    const result = await segments[layer]!.run(
      attention === undefined ? { hidden, positions } : { hidden, positions, attention },
    );
    if (layer > 0) hidden = result['hidden_out']!;
    const layerCache = cache[layer]!;
    layerCache.append(floatData(result['k']!), floatData(result['v']!));
    attention = await decodeAttention(result['q']!, layerCache);
  }
  const result = await segments[config.layers]!.run({ hidden, attention: attention! });
  return floatData(result['logits']!);
}

/** Index of the largest logit; the lowest index wins ties. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** How an answer starts: with logits at hand, or by running the last prompt token on the cache first. */
export type DecodeStart =
  | { readonly kind: 'logits'; readonly logits: Float32Array; readonly nextPosition: number }
  | { readonly kind: 'token'; readonly embedding: Float32Array; readonly position: number };

export interface Generation {
  /** Answer tokens; the end-of-sequence token is not one. */
  readonly tokens: readonly number[];
  readonly stopped: StopReason | 'length';
  /** Milliseconds of every decode step. */
  readonly steps: readonly number[];
}

export interface GenerationOptions {
  readonly maxNewTokens: number;
  readonly stop: StopCheck;
  /** The embedding [hiddenSize] of a token. */
  readonly embed: (token: number) => Float32Array;
}

/**
 * Greedy decoding from a compressed cache.
 *
 * @param onLogits sees the logits [vocabSize] each token is chosen from
 */
export async function generate(
  model: LanguageModel,
  cache: readonly LayerCache[],
  start: DecodeStart,
  { maxNewTokens, stop, embed }: GenerationOptions,
  onLogits?: (logits: Float32Array) => void,
): Promise<Generation> {
  const steps: number[] = [];
  const step = async (embedding: Float32Array, at: number): Promise<Float32Array> => {
    const begin = performance.now();
    const result = await decodeStep(model, cache, embedding, at);
    steps.push(performance.now() - begin);
    return result;
  };
  const tokens: number[] = [];
  let logits = start.kind === 'logits' ? start.logits : await step(start.embedding, start.position);
  let position = start.kind === 'logits' ? start.nextPosition : start.position + 1;
  for (;;) {
    onLogits?.(logits);
    const token = argmax(logits);
    tokens.push(token);
    const reason = stop(tokens);
    if (reason === 'eos') tokens.pop();
    if (reason !== null) return { tokens, stopped: reason, steps };
    if (tokens.length >= maxNewTokens) return { tokens, stopped: 'length', steps };
    logits = await step(embed(token), position++);
  }
}
