import { describe, expect, it } from 'vitest';
import type { QuantisedRows } from '../../src/compression/compressed-layer.js';
import { LayerCompressor } from '../../src/compression/layer-compressor.js';
import type { LayerInput } from '../../src/compression/layer-input.js';
import { MethodSet } from '../../src/compression/method-set.js';
import { allocatedRows } from '../../src/compression/policy.js';
import { int8 } from '../../src/compression/quantise/int8.js';
import { invariant } from '../../src/core/errors.js';
import { compressAlone, plainTools, policyOf } from '../support/compress.js';
import { randomLayer } from '../support/random-layer.js';

const layer = randomLayer({
  ...{ heads: 2, headDim: 8, length: 60, seed: 9 },
  images: [{ start: 6, length: 48 }],
});
const budget = { kind: 'ratio', recent: 0.1, important: 0.2 } as const;

async function quantisedRows(
  method: string,
  { of = layer, semantics = 'paper' }: { of?: LayerInput; semantics?: 'release' | 'paper' } = {},
): Promise<QuantisedRows> {
  const compressor = new LayerCompressor(of, plainTools);
  const { cache } = await compressor.compress(policyOf(method, semantics), budget, of.length);
  compressor.close();
  invariant(cache.type === 'int8', `${method} is not quantised`);
  return cache;
}

/** Largest magnitude of a channel over rows of [heads, capacity, headDim]. */
function largest(
  source: Float32Array,
  at: { readonly head: number; readonly d: number; readonly rows: number; readonly capacity: number },
): number {
  let most = 0;
  for (let row = 0; row < at.rows; row++) {
    most = Math.max(most, Math.abs(source[(at.head * at.capacity + row) * 8 + at.d]!));
  }
  return most;
}

describe('int8 rows', () => {
  it.each(['full', 'h2o', 'snapkv', 'look-m-a', 'look-m-w', 'look-m-tp-p', 'matched:look-m-tp-p'])(
    'of %s are those of the method without it, off by at most half a step',
    async (method) => {
      const plain = (await compressAlone(layer, policyOf(method, 'paper'), budget)).cache;
      const rounded = await quantisedRows(`${method}+int8`);
      expect([rounded.rows, rounded.capacity]).toEqual([plain.rows, plain.capacity]);
      expect(rounded.kept).toEqual(plain.kept);
      expect(rounded.merged).toEqual(plain.merged);
      for (const part of ['keys', 'values'] as const) {
        for (let head = 0; head < 2; head++) {
          for (let d = 0; d < 8; d++) {
            const scale = rounded.scales[part][head * 8 + d]!;
            for (let row = 0; row < plain.rows; row++) {
              const i = (head * plain.capacity + row) * 8 + d;
              const off = Math.abs(plain[part][i]! - scale * rounded[part][i]!);
              expect(off).toBeLessThanOrEqual(0.5001 * scale);
            }
            for (let row = plain.rows; row < plain.capacity; row++) {
              expect(rounded[part][(head * plain.capacity + row) * 8 + d]).toBe(0);
            }
          }
        }
      }
    },
  );

  it('have the range of all prompt rows, kept or not', async () => {
    const { scales, rows } = await quantisedRows('h2o+int8');
    expect(rows).toBe(18);
    for (let head = 0; head < 2; head++) {
      for (let d = 0; d < 8; d++) {
        const at = { head, d, rows: layer.length, capacity: layer.capacity };
        expect(scales.keys[head * 8 + d]).toBeCloseTo(largest(layer.keys, at) / 127, 7);
        expect(scales.values[head * 8 + d]).toBeCloseTo(largest(layer.values, at) / 127, 7);
      }
    }
  });

  it('have the range of a merged row where that is larger', async () => {
    const rows = { heads: 1, headDim: 2, rows: 1, capacity: 1, type: 'float32' } as const;
    const chosen = int8.bind({});
    invariant('bound' in chosen && chosen.bound !== null, 'int8 takes no options');
    const prompt = { keys: Float32Array.of(1, 4), values: Float32Array.of(2, 0) };
    const merged = { keys: Float32Array.of(-3, 2), values: Float32Array.of(1, 0) };
    const rounded = await chosen.bound.apply({ ...rows, ...merged }, prompt, plainTools);
    expect([...rounded.keys]).toEqual([-127, 64]);
    expect([...rounded.values]).toEqual([64, 0]);
    const scales = [...rounded.scales.keys, ...rounded.scales.values];
    const expected = [3 / 127, 4 / 127, 2 / 127, 1];
    for (const [i, scale] of scales.entries()) expect(scale).toBeCloseTo(expected[i]!, 7);
  });

  it('are one object for policies that do the same, beside rows that are not rounded', async () => {
    const compressor = new LayerCompressor(layer, plainTools);
    const rowsOf = async (name: string) =>
      (await compressor.compress(policyOf(name, 'paper'), budget, layer.length)).cache;
    const first = await rowsOf('h2o+int8');
    expect(await rowsOf('h2o+int8')).toBe(first);
    const plain = await rowsOf('h2o');
    expect(plain.type).toBe('float32');
    compressor.close();
    expect(plain.keys.every(Number.isFinite)).toBe(true);
  });
});

describe('the suffix of a quantise rule', () => {
  const set = new MethodSet({ mine: { merge: 'average', quantise: 'int8' }, plain: { merge: 'average' } });

  it('says the same as the stage of a composition', () => {
    const { id } = set.policy('mine', 'paper');
    expect(set.policy('plain+int8', 'paper').id).toBe(id);
    expect(set.policy('mine+int8', 'paper').id).toBe(id);
    expect(id).toBe(`${set.policy('plain', 'paper').id}, int8 (version 1)`);
  });

  it('leaves the ids of methods without it, and so their records, as they were', () => {
    expect(set.policy('full', 'release').id).toBe('full');
    expect(set.policy('h2o', 'release').id).toBe(
      'release: column-sum (version 1) × none (version 1) × top (version 1, window = "budget", order = "prompt") × none (version 1) × uniform (version 1) (text prompts left alone, left alone up to the budget, zero budget: empty cache)',
    );
  });

  it('belongs to the whole of a matched name', () => {
    const policy = set.policy('matched:look-m-tp-p/snapkv+int8', 'paper');
    expect(policy.quantise?.rule.type).toBe('int8');
    invariant(policy.kind === 'compress', 'a matched policy compresses');
    expect(policy.matches?.quantise).toBeNull();
  });

  it('that names no rule, or changes nothing, is refused', () => {
    expect(set.problem('h2o+int4')?.what).toBe('"h2o+int4": unknown quantise rule "int4"');
    expect(set.problem('h2o+int4')?.fix).toContain('`lookm list stages` shows all');
    expect(set.problem('h2o+none')?.what).toBe('"h2o+none": +none changes nothing');
    expect(set.problem('h20+int8')?.what).toBe('unknown method "h20"');
    expect(set.problem('+int8')?.what).toContain('+int8');
  });
});

it('a budget in bytes buys rows of the element type, less the factors', () => {
  const place = { layer: 0, layers: 2, heads: 2, headDim: 8, length: 1000 };
  const bytes = 2 * 2 * 2 * 8 * 4 * 100;
  const rowsOf = (method: string): number => {
    const policy = policyOf(method, 'paper');
    invariant(policy.kind === 'compress', `${method} compresses`);
    const { recent, important } = allocatedRows(
      policy,
      { kind: 'bytes', recent: bytes / 2, important: bytes / 2 },
      place,
    );
    return recent + important;
  };
  expect(rowsOf('h2o')).toBe(100);
  expect(rowsOf('h2o+int8')).toBe(396);
});
