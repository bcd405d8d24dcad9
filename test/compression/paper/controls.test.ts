import { describe, expect, it } from 'vitest';
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
const recent = 5;
const window = layer.length - recent;

async function kept(name: string, important: number, semantics: 'paper' | 'release' = 'paper') {
  const { cache } = await compressAlone(layer, policyOf(name, semantics), {
    ...{ kind: 'tokens', recent, important },
  });
  return Array.from({ length: layer.heads }, (_, head) => keptOf(cache, head));
}

/** Positions before the window of one kind, most attended first. */
function ranked(head: number, kind: 0 | 1): number[] {
  const sums = layer.statistics.columnSums(layer.length).slice(head * 100, (head + 1) * 100);
  return [...sums.keys()]
    .filter((i) => i < window && layer.modality[i] === kind)
    .sort((a, b) => sums[b]! - sums[a]!);
}

const ascending = (positions: readonly number[]): number[] => [...positions].sort((a, b) => a - b);

describe('the controls under the paper semantics', () => {
  it.each(['random', 'knorm', 'streaming-llm'])('%s keeps what it keeps in the release', async (name) => {
    expect(await kept(name, 17)).toEqual(await kept(name, 17, 'release'));
  });

  it('streaming-llm keeps the first four tokens and the most recent ones', async () => {
    const recents = Array.from({ length: 18 }, (_, i) => 82 + i);
    expect(await kept('streaming-llm', 17)).toEqual(Array(3).fill([0, 1, 2, 3, ...recents]));
  });

  it('text-only lets text compete for the budget and keeps no image, also with rows to spare', async () => {
    for (const [head, positions] of (await kept('text-only', 12)).entries()) {
      const best = ranked(head, 0).slice(0, 12);
      expect(positions).toEqual([...ascending(best), 95, 96, 97, 98, 99]);
    }
    for (const [head, positions] of (await kept('text-only', 60)).entries())
      expect(positions).toEqual([...ascending(ranked(head, 0)), 95, 96, 97, 98, 99]);
  });

  it('image-random keeps the most attended text under a budget smaller than the text', async () => {
    for (const [head, positions] of (await kept('image-random', 12)).entries())
      expect(positions.slice(0, 12)).toEqual(ascending(ranked(head, 0).slice(0, 12)));
  });

  it('image-random keeps all text and images that attention would not choose under a larger one', async () => {
    const text = 35;
    const chosen = 9;
    for (const [head, positions] of (await kept('image-random', text + chosen)).entries()) {
      const images = positions.filter((i) => layer.modality[i] === 1);
      expect(images.length).toBe(chosen);
      expect(images).not.toEqual(ascending(ranked(head, 1).slice(0, chosen)));
      expect(positions).toEqual(expect.arrayContaining(ranked(head, 0)));
    }
  });
});
