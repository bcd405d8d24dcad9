import { describe, expect, it } from 'vitest';
import type { LayerInput } from '../../../src/compression/layer-input.js';
import { compressAlone, keptOf, policyOf } from '../../support/compress.js';
import { randomLayer } from '../../support/random-layer.js';

/** 40 tokens of text around and between two images of 30. */
const layer = randomLayer({
  ...{ heads: 3, headDim: 6, length: 100, seed: 8 },
  images: [
    { start: 10, length: 30 },
    { start: 55, length: 30 },
  ],
});

/** Positions before the window of one kind, best first. */
function ranked({ statistics, length, modality }: LayerInput, head: number, kind: 0 | 1): number[] {
  const sums = statistics.columnSums(length).slice(head * length, (head + 1) * length);
  return [...sums.keys()]
    .filter((i) => i < length - 5 && modality[i] === kind)
    .sort((a, b) => sums[b]! - sums[a]!);
}

describe.each(['look-m-tp', 'look-m-tp-a', 'look-m-tp-w', 'look-m-tp-p'])(
  '%s of the paper, T_p added to text',
  (name) => {
    const keptBefore = async (important: number): Promise<number[][]> => {
      const budget = { kind: 'tokens', recent: 5, important } as const;
      const { cache } = await compressAlone(layer, policyOf(name, 'paper'), budget);
      expect(cache.rows).toBe(5 + important);
      return Array.from({ length: layer.heads }, (_, head) =>
        keptOf(cache, head).filter((position) => position < 95),
      );
    };

    it('lets text compete with text under a budget smaller than the text', async () => {
      for (const [head, kept] of (await keptBefore(12)).entries()) {
        expect(kept).toEqual(
          ranked(layer, head, 0)
            .slice(0, 12)
            .sort((a, b) => a - b),
        );
      }
    });

    it('keeps all text and the best of the images under a larger one', async () => {
      const text = 35;
      for (const [head, kept] of (await keptBefore(text + 9)).entries()) {
        const best = [...ranked(layer, head, 0), ...ranked(layer, head, 1).slice(0, 9)];
        expect(best.length).toBe(text + 9);
        expect(kept).toEqual(best.sort((a, b) => a - b));
      }
    });

    it('compresses a prompt of text alone too', async () => {
      const text = { ...layer, modality: new Uint8Array(100) };
      const budget = { kind: 'ratio', recent: 0.05, important: 0.1 } as const;
      const { outcome, cache } = await compressAlone(text, policyOf(name, 'paper'), budget);
      expect(outcome).toEqual({ kind: 'compressed' });
      expect(cache.rows).toBe(15);
    });
  },
);
