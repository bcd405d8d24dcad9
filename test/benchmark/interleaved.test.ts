import { describe, expect, it } from 'vitest';
import { summarise, timeInterleaved } from '../../src/benchmark/interleaved.js';
import { raceInPieces } from '../../src/benchmark/race-in-pieces.js';

describe('interleaved timing', () => {
  it('gives everyone one turn a round, another one first in each', async () => {
    const order: string[] = [];
    const contenders = ['a', 'b', 'c'].map((name) => ({ name, run: async () => void order.push(name) }));
    const timings = await timeInterleaved(contenders, 3);
    expect(order.join('')).toBe('abcabcbcacab');
    expect(timings.map(({ rounds }) => rounds)).toEqual([3, 3, 3]);
  });

  it('compares round by round with the fastest of those named', () => {
    const [one] = summarise(
      [{ name: 'one', beside: ['two', 'three'] }, { name: 'two' }, { name: 'three' }],
      [
        [10, 20, 60],
        [10, 40, 30],
        [20, 10, 30],
      ],
    );
    expect(one!.ratio).toEqual({ to: ['two', 'three'], median: 2, mad: 0 });
  });

  it('turns work into rates, and rates into shares of the highest limit', () => {
    const gigabytes = (amount: number) => ({ unit: 'GB/s', amount }) as const;
    const [one] = summarise(
      [
        { name: 'one', work: gigabytes(2), limits: ['two', 'three'], parts: { count: 4, name: 'layer' } },
        { name: 'two', work: gigabytes(2) },
        { name: 'three', work: gigabytes(1) },
      ],
      [[100], [50], [20]],
    );
    expect(one!.rate).toEqual({ unit: 'GB/s', value: 20 });
    expect(one!.share).toEqual({ median: 0.4, mad: 0 });
    expect(one!.part).toEqual({ name: 'layer', median: 25 });
  });
});

describe('a race in pieces', () => {
  async function* pieces(name: string, count: number, order: string[]): AsyncGenerator<void, void> {
    for (let piece = 0; piece < count; piece++) {
      order.push(name);
      yield;
    }
  }

  it('lets whoever is furthest behind go on, to the end of all', async () => {
    const order: string[] = [];
    const times = await raceInPieces([
      { pieces: pieces('a', 2, order), count: 2 },
      { pieces: pieces('b', 4, order), count: 4 },
    ]);
    expect(order.join('')).toBe('abbabb');
    expect(times).toHaveLength(2);
  });

  it('counts a run its own time only', async () => {
    const sleep = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    async function* slow(): AsyncGenerator<void, void> {
      await sleep(50);
      yield;
    }
    async function* quick(): AsyncGenerator<void, void> {
      yield;
    }
    const [quickTime, slowTime] = await raceInPieces([
      { pieces: quick(), count: 1 },
      { pieces: slow(), count: 1 },
    ]);
    expect(slowTime).toBeGreaterThan(quickTime!);
  });
});
