import type { TextConfig } from '../backbone/bundle-manifest.js';
import type { Projections } from './chunk-rows.js';
import { floatData, floats, type Graph, int64s, type Tensor } from './runtime.js';
import { type Feeds, persist } from './sessions.js';

/** A token on its way through the decoder. */
export interface PlacedToken {
  /** [hiddenSize]. */
  readonly embedding: Float32Array;
  /** Its true position in the uncompressed sequence. */
  readonly position: number;
}

/**
 * Attention of a layer, [1, tokens, heads * headDim].
 *
 * @param target where it may be written
 */
export type AttendTokens = (layer: number, projections: Projections, target: Tensor) => Promise<Tensor>;

/** Tensors that the passes of so many tokens hand from graph to graph; every pass overwrites them. */
interface PassTensors {
  /** [1, tokens]. */
  readonly positions: Tensor;
  /** [1, tokens, hiddenSize]: a segment reads one and writes the other. */
  readonly hidden: readonly [Tensor, Tensor];
  readonly projections: Projections;
  /** [1, tokens, heads * headDim]. */
  readonly attention: Tensor;
}

function newPassTensors(
  { hiddenSize, heads, kvHeads, headDim }: TextConfig,
  tokens: readonly PlacedToken[],
): PassTensors {
  const count = tokens.length;
  const rows = (width: number): Tensor => persist(floats(new Float32Array(count * width), [1, count, width]));
  return {
    positions: persist(int64s(new Array<number>(count).fill(0), [1, count])),
    hidden: [rows(hiddenSize), rows(hiddenSize)],
    projections: {
      query: rows(heads * headDim),
      key: rows(kvHeads * headDim),
      value: rows(kvHeads * headDim),
    },
    attention: rows(heads * headDim),
  };
}

/** The decoder for a few tokens at a time, each of a sequence of its own. */
export class DecoderPass {
  readonly #config: TextConfig;
  readonly #segments: readonly Graph[];
  readonly #tensors = new Map<number, PassTensors>();

  /** @param segments as in `LanguageModel` */
  constructor(config: TextConfig, segments: readonly Graph[]) {
    this.#config = config;
    this.#segments = segments;
  }

  /** @returns logits [tokens, vocabSize] */
  async run(tokens: readonly PlacedToken[], attend: AttendTokens): Promise<Float32Array> {
    const { layers, hiddenSize } = this.#config;
    const tensors = this.#tensors.get(tokens.length) ?? newPassTensors(this.#config, tokens);
    this.#tensors.set(tokens.length, tensors);
    const { positions, projections: targets } = tensors;
    let [hidden, spare] = tensors.hidden;
    for (const [row, { embedding, position }] of tokens.entries()) {
      floatData(hidden).set(embedding, row * hiddenSize);
      positions.data[row] = BigInt(position);
    }
    let attention: Tensor | undefined;
    for (let layer = 0; layer < layers; layer++) {
      const feeds: Feeds = attention === undefined ? { hidden, positions } : { hidden, positions, attention };
      const into = { q: targets.query, k: targets.key, v: targets.value, hidden_out: spare };
      const result = await this.#segments[layer]!.run(feeds, { into });
      if (layer > 0) [hidden, spare] = [result['hidden_out']!, hidden];
      const projections = { query: result['q']!, key: result['k']!, value: result['v']! };
      attention = await attend(layer, projections, tensors.attention);
    }
    const result = await this.#segments[layers]!.run({ hidden, attention: attention! });
    return floatData(result['logits']!);
  }
}
