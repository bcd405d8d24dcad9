import type { LlamaShape } from '../checkpoint/llama-config.js';
import type { FloatBuffers } from '../core/cache-buffers.js';
import { RandomBytes } from '../core/random-bytes.js';
import { decodeStep } from '../engine/decode.js';
import type { LanguageModel } from '../engine/language-model.js';
import { cacheCapacity, LayerCache } from '../engine/layer-cache.js';

/** K and V of all layers for one number of rows, which several models may decode from. */
export class RandomCache {
  readonly #rows: number;
  readonly #shape: LlamaShape;
  readonly #layers: readonly FloatBuffers[];

  constructor(shape: LlamaShape, rows: number) {
    const size = shape.kvHeads * cacheCapacity(rows) * shape.headDim;
    this.#rows = rows;
    this.#shape = shape;
    const random = new RandomBytes();
    this.#layers = Array.from({ length: shape.layers }, () => ({
      type: 'float32' as const,
      keys: random.array(size, -1, 1),
      values: random.array(size, -1, 1),
    }));
  }

  /** Runs one token that sees `rows` rows, its own included; the next call finds the cache as this one did. */
  async step(model: LanguageModel, embedding: Float32Array): Promise<Float32Array> {
    const { kvHeads: heads, headDim } = this.#shape;
    const rows = this.#rows - 1;
    const capacity = cacheCapacity(this.#rows);
    const caches = this.#layers.map((buffers) => new LayerCache({ heads, headDim, rows, capacity, buffers }));
    return decodeStep(model, caches, { embedding, position: rows });
  }
}
