import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compressLayer } from '../../src/compression/compress-layer.js';
import { type LayerInput, rowBudget } from '../../src/compression/layer-input.js';
import { methodNamed, methods } from '../../src/compression/registry.js';
import { FloatPool } from '../../src/core/float-pool.js';
import { randomLayer } from '../support/random-layer.js';
import {
  referenceKept,
  referenceNearestKeys,
  referencePivotalMerge,
} from '../support/reference-compression.js';

const tools = {
  nearestKeys: referenceNearestKeys,
  capacityFor: (rows: number) => rows + 3,
  pool: new FloatPool(),
};

const layerArbitrary = fc
  .record({
    heads: fc.integer({ min: 1, max: 3 }),
    headDim: fc.integer({ min: 1, max: 9 }),
    length: fc.integer({ min: 2, max: 60 }),
    slack: fc.integer({ min: 0, max: 2 }),
    imageStart: fc.integer({ min: 0, max: 40 }),
    imageLength: fc.integer({ min: 1, max: 40 }),
    seed: fc.integer(),
  })
  .map(({ slack, imageStart, imageLength, ...rest }) =>
    randomLayer({
      ...rest,
      capacity: rest.length + slack,
      images: [{ start: Math.min(imageStart, rest.length - 1), length: imageLength }],
    }),
  );

const ratioArbitrary = fc.record({
  recent: fc.double({ min: 0, max: 0.6, noNaN: true }),
  important: fc.double({ min: 0, max: 0.6, noNaN: true }),
});

const evicting = Object.values(methods).filter((method) => method.stages !== null);

function rowsOf(
  data: Float32Array,
  head: number,
  capacity: number,
  headDim: number,
  count: number,
): number[][] {
  return Array.from({ length: count }, (_, row) =>
    Array.from(data.subarray((head * capacity + row) * headDim, (head * capacity + row + 1) * headDim)),
  );
}

function headScores(layer: LayerInput, head: number): number[] {
  return Array.from(
    layer.statistics.columnSums(layer.length).slice(head * layer.length, (head + 1) * layer.length),
  );
}

describe('the full cache', () => {
  it('keeps every row of the prompt unchanged and forgets rows beyond it', async () => {
    await fc.assert(
      fc.asyncProperty(layerArbitrary, async (layer) => {
        const result = await compressLayer(layer, methodNamed('full'), { recent: 0, important: 0 }, tools);
        expect(result.outcome).toEqual({ kind: 'unchanged', reason: 'full cache' });
        for (let head = 0; head < layer.heads; head++) {
          expect(rowsOf(result.keys, head, result.capacity, layer.headDim, result.rows)).toEqual(
            rowsOf(layer.keys, head, layer.capacity, layer.headDim, layer.length),
          );
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe.each(evicting)('$name', (method) => {
  it('conserves exactly the positions that sorting by the formula gives, in prompt order', async () => {
    await fc.assert(
      fc.asyncProperty(layerArbitrary, ratioArbitrary, async (layer, ratio) => {
        const budget = rowBudget(layer.length, ratio);
        const result = await compressLayer(layer, method, ratio, tools);
        const unchanged = result.outcome.kind === 'unchanged';
        const text = Array.from(layer.modality.subarray(0, layer.length), (flag) => flag === 0);
        for (let head = 0; head < layer.heads; head++) {
          const kept = Array.from(result.kept.slice(head * result.rows, (head + 1) * result.rows));
          const expected = referenceKept({
            scores: headScores(layer, head),
            text: method.stages?.prior ? text : null,
            ...budget,
          });
          expect(kept).toEqual(unchanged ? Array.from({ length: layer.length }, (_, i) => i) : expected);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('changes nothing when the budget covers the prompt or the prompt has no image', async () => {
    const withImage = randomLayer({
      heads: 2,
      headDim: 4,
      length: 20,
      images: [{ start: 3, length: 9 }],
      seed: 1,
    });
    const covered = await compressLayer(withImage, method, { recent: 0.5, important: 0.5 }, tools);
    expect(covered.outcome).toEqual({ kind: 'unchanged', reason: 'prompt within budget' });
    const textOnly = randomLayer({ heads: 2, headDim: 4, length: 20, images: [], seed: 1 });
    const kept = await compressLayer(textOnly, method, { recent: 0.1, important: 0.1 }, tools);
    expect(kept.outcome).toEqual({ kind: 'unchanged', reason: 'no image in the prompt' });
    expect(kept.rows).toBe(20);
  });

  it('does not depend on anything beyond the prompt rows and leaves its input alone', async () => {
    const shape = { heads: 2, headDim: 4, length: 30, images: [{ start: 4, length: 20 }], seed: 7 };
    const tight = await compressLayer(randomLayer(shape), method, { recent: 0.1, important: 0.2 }, tools);
    const layer = randomLayer({ ...shape, capacity: 30 });
    const before = layer.keys.slice();
    const again = await compressLayer(layer, method, { recent: 0.1, important: 0.2 }, tools);
    expect(again).toEqual(tight);
    expect(layer.keys).toEqual(before);
    expect(again.keys.some(Number.isNaN)).toBe(false);
  });
});

describe('zero rows', () => {
  const layer = randomLayer({ heads: 2, headDim: 4, length: 20, images: [{ start: 3, length: 9 }], seed: 3 });
  it('leave H2O an empty cache and the text prior the full one, as the release does', async () => {
    const ratio = { recent: 0.01, important: 0.01 };
    expect((await compressLayer(layer, methodNamed('h2o'), ratio, tools)).rows).toBe(0);
    const prior = await compressLayer(layer, methodNamed('look-m-tp-p'), ratio, tools);
    expect(prior.rows).toBe(20);
    expect(prior.outcome).toEqual({ kind: 'unchanged', reason: 'zero budget' });
  });
});

describe('look-m-tp-p', () => {
  const method = methodNamed('look-m-tp-p');

  it('keeps all text, even beyond the budget, and images only with what is left', async () => {
    const layer = randomLayer({
      heads: 2,
      headDim: 4,
      length: 100,
      images: [{ start: 20, length: 60 }],
      seed: 5,
    });
    const small = await compressLayer(layer, method, { recent: 0.05, important: 0.05 }, tools);
    expect(small.rows).toBe(5 + 35);
    const large = await compressLayer(layer, method, { recent: 0.05, important: 0.45 }, tools);
    expect(large.rows).toBe(5 + 45);
  });

  it('merges each evicted token into its nearest conserved key as the pivotal rule says', async () => {
    await fc.assert(
      fc.asyncProperty(layerArbitrary, ratioArbitrary, async (layer, ratio) => {
        const result = await compressLayer(layer, method, ratio, tools);
        if (result.merged === undefined) return;
        const evictedRows = layer.length - result.rows;
        for (let head = 0; head < layer.heads; head++) {
          for (const [merged, source] of [
            [result.keys, layer.keys],
            [result.values, layer.values],
          ] as const) {
            const expected = referencePivotalMerge({
              source: rowsOf(source, head, layer.capacity, layer.headDim, layer.length),
              kept: Array.from(result.kept.slice(head * result.rows, (head + 1) * result.rows)),
              evicted: Array.from(result.merged.evicted.slice(head * evictedRows, (head + 1) * evictedRows)),
              targets: Array.from(result.merged.targets.slice(head * evictedRows, (head + 1) * evictedRows)),
            });
            const actual = rowsOf(merged, head, result.capacity, layer.headDim, result.rows);
            for (const [row, values] of expected.entries())
              for (const [d, value] of values.entries()) expect(actual[row]![d]).toBeCloseTo(value, 5);
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('leaves rows without an assigned token untouched', async () => {
    const layer = randomLayer({
      heads: 1,
      headDim: 8,
      length: 40,
      images: [{ start: 2, length: 30 }],
      seed: 11,
    });
    const result = await compressLayer(layer, method, { recent: 0.3, important: 0.6 }, tools);
    const targets = new Set(result.merged?.targets);
    const untouched = Array.from({ length: result.rows }, (_, row) => row).filter((row) => !targets.has(row));
    expect(untouched.length).toBeGreaterThan(0);
    for (const row of untouched) {
      expect(rowsOf(result.keys, 0, result.capacity, 8, result.rows)[row]).toEqual(
        rowsOf(layer.keys, 0, layer.capacity, 8, layer.length)[result.kept[row]!],
      );
    }
  });
});

describe('the registry', () => {
  it('answers a misspelt method with the near matches', () => {
    expect(() => methodNamed('h20', 'methods[1]')).toThrow(
      'methods[1]: unknown method "h20"; did you mean h2o? `lookm list methods` shows all',
    );
  });
});
