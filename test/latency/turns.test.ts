import { describe, expect, it } from 'vitest';
import { blockOf, takeTurns } from '../../src/latency/take-turns.js';
import { turnsOf } from '../../src/latency/turns.js';

describe('turns', () => {
  it('name every contender once in each repeat', () => {
    for (let count = 1; count < 9; count++) {
      for (let repeat = 0; repeat < 20; repeat++) {
        const turns = turnsOf(repeat, count);
        expect(turns.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
      }
    }
  });

  it('go on by one, and backwards every other repeat', () => {
    expect(turnsOf(0, 4)).toEqual([0, 1, 2, 3]);
    expect(turnsOf(1, 4)).toEqual([0, 3, 2, 1]);
    expect(turnsOf(2, 4)).toEqual([2, 3, 0, 1]);
    expect(turnsOf(3, 4)).toEqual([2, 1, 0, 3]);
  });

  it('put each contender early and late, and after different others', () => {
    const count = 5;
    const repeats = Array.from({ length: 2 * count }, (_, repeat) => turnsOf(repeat, count));
    for (let contender = 0; contender < count; contender++) {
      const places = repeats.map((turns) => turns.indexOf(contender));
      expect(new Set(places).size).toBeGreaterThanOrEqual(3);
      const mean = places.reduce((sum, place) => sum + place, 0) / places.length;
      expect(mean).toBeCloseTo((count - 1) / 2, 9);
      const before = repeats.map((turns, i) => turns[places[i]! - 1]).filter((one) => one !== undefined);
      expect(new Set(before).size).toBe(2);
    }
  });

  it('are taken one after the other, results by contender and repeat', async () => {
    const order: string[] = [];
    let running = 0;
    const contender = (name: string) => async () => {
      running++;
      expect(running).toBe(1);
      await Promise.resolve();
      running--;
      order.push(name);
      return `${name}${order.length}`;
    };
    const results = await takeTurns([contender('a'), contender('b'), contender('c')], 3);
    expect(order.join('')).toBe('abcacbcab');
    expect(results[1]).toEqual([
      { turn: 1, result: 'b2' },
      { turn: 2, result: 'b6' },
      { turn: 2, result: 'b9' },
    ]);
  });

  it('as records keep them tell warm-up from timed steps', () => {
    const block = { steps: [9.00049, 1.5, 2.5], runtime: [8, 1, 2], tokens: [1, 2, 3] };
    expect(blockOf(block, 4, 1)).toEqual({ turn: 4, warmUp: [9], steps: [1.5, 2.5], runtime: [1, 2] });
    expect(blockOf(block, 4, 0).steps).toHaveLength(3);
  });
});
