import type { NearestKeySearch } from '../../src/compression/merge/nearest-key.js';
import { openNearestKeySearch } from '../../src/engine/nearest-key.js';
import { openPrefillAttention } from '../../src/engine/prefill-attention.js';
import type { PrefillAttention } from '../../src/engine/prefill-chunk.js';
import { Runtime } from '../../src/engine/runtime.js';
import type { HeadShape } from './random-prompt.js';

/** Longer than any prompt of the tests. */
const mostKeys = 4096;

/** The kernels that runs use, each opened once a shape. Close when done. */
export class Kernels {
  readonly #runtime: Runtime;
  readonly #attention = new Map<string, Promise<PrefillAttention>>();
  readonly #nearest = new Map<number, Promise<NearestKeySearch>>();

  constructor(options: { threads: number }) {
    this.#runtime = new Runtime(options);
  }

  attention({ heads, kvHeads, headDim }: HeadShape): Promise<PrefillAttention> {
    const key = `${heads}/${kvHeads}/${headDim}`;
    const open = (): Promise<PrefillAttention> =>
      openPrefillAttention(this.#runtime, { heads, kvHeads, headDim }, mostKeys);
    return remembered(this.#attention, key, open);
  }

  nearestKeys(headDim: number): Promise<NearestKeySearch> {
    return remembered(this.#nearest, headDim, () => openNearestKeySearch(this.#runtime, headDim));
  }

  close(): Promise<void> {
    return this.#runtime.close();
  }
}

function remembered<Key, Value>(known: Map<Key, Value>, key: Key, make: () => Value): Value {
  const value = known.get(key) ?? make();
  known.set(key, value);
  return value;
}
