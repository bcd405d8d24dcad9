import type { StopCheck, StopReason } from '../backbone/stop-criteria.js';
import type { PlacedToken } from './decoder-pass.js';
import type { LanguageModel } from './language-model.js';
import type { LayerCache } from './layer-cache.js';

/**
 * Runs one token through the decoder on a compressed cache, which grows by one row a layer.
 *
 * @returns logits [vocabSize]
 */
export function decodeStep(
  { pass, attention }: Pick<LanguageModel, 'pass' | 'attention'>,
  cache: readonly LayerCache[],
  token: PlacedToken,
): Promise<Float32Array> {
  return pass.run([token], (layer, projections, target) =>
    attention.decode({ ...projections, attention: target }, cache[layer]!),
  );
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
  | ({ readonly kind: 'token' } & PlacedToken);

export interface Generation {
  /** Answer tokens; the end-of-sequence token is not one. */
  readonly tokens: readonly number[];
  readonly stopped: StopReason | 'length';
  /** Milliseconds of every decode step; none where the answer has no time of its own. */
  readonly steps: readonly number[];
}

export interface GenerationOptions {
  readonly maxNewTokens: number;
  readonly stop: StopCheck;
  /** The embedding [hiddenSize] of a token. */
  readonly embed: (token: number) => Float32Array;
}

/** Greedy choice of an answer's tokens, one after the other. */
export class Answer {
  readonly tokens: number[] = [];
  stopped: Generation['stopped'] | null = null;
  readonly #options: GenerationOptions;
  #position: number;

  /** @param position true position of the first answer token */
  constructor(position: number, options: GenerationOptions) {
    this.#position = position;
    this.#options = options;
  }

  /** Takes the next token from logits [vocabSize]; the token to run, or null when the answer is complete. */
  next(logits: Float32Array): PlacedToken | null {
    const { maxNewTokens, stop, embed } = this.#options;
    const token = argmax(logits);
    this.tokens.push(token);
    this.stopped = stop(this.tokens);
    if (this.stopped === 'eos') this.tokens.pop();
    if (this.stopped === null && this.tokens.length >= maxNewTokens) this.stopped = 'length';
    return this.stopped === null ? { embedding: embed(token), position: this.#position++ } : null;
  }
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
  options: GenerationOptions,
  onLogits?: (logits: Float32Array) => void,
): Promise<Generation> {
  const steps: number[] = [];
  const step = async (token: PlacedToken): Promise<Float32Array> => {
    const begin = performance.now();
    const result = await decodeStep(model, cache, token);
    steps.push(performance.now() - begin);
    return result;
  };
  const answer = new Answer(firstPosition(start), options);
  let logits = start.kind === 'logits' ? start.logits : await step(start);
  for (;;) {
    onLogits?.(logits);
    const token = answer.next(logits);
    if (token === null) return { tokens: answer.tokens, stopped: answer.stopped!, steps };
    logits = await step(token);
  }
}

/** True position of the first answer token. */
export function firstPosition(start: DecodeStart): number {
  return start.kind === 'logits' ? start.nextPosition : start.position + 1;
}
