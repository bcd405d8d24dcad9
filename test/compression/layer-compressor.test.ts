import { describe, expect, it } from 'vitest';
import { LayerCompressor } from '../../src/compression/layer-compressor.js';
import type { NearestKeySearch } from '../../src/compression/merge/nearest-key.js';
import { FloatPool } from '../../src/core/float-pool.js';
import { compressAlone, plainTools, policyOf } from '../support/compress.js';
import { randomLayer } from '../support/random-layer.js';

const layer = randomLayer({
  ...{ heads: 2, headDim: 8, length: 60, seed: 4 },
  images: [{ start: 6, length: 48 }],
});
const budget = { kind: 'ratio', recent: 0.1, important: 0.2 } as const;

describe('policies that do the same to a layer', () => {
  it('share its rows, whatever they are called', async () => {
    const compressor = new LayerCompressor(layer, plainTools);
    const rowsOf = async (name: string, semantics: 'release' | 'paper', length = 60) =>
      (await compressor.compress(policyOf(name, semantics), budget, length)).cache;
    const h2o = await rowsOf('h2o', 'release');
    expect(await rowsOf('roco', 'release')).toBe(h2o);
    expect(await rowsOf('h2o', 'paper')).toBe(h2o);
    expect(await rowsOf('h2o', 'release', 59)).not.toBe(h2o);
    expect(await rowsOf('look-m-p', 'paper')).not.toBe(h2o);
    const textFirst = await rowsOf('look-m-tp-p', 'paper');
    expect(await rowsOf('look-m-tp', 'paper')).not.toBe(textFirst);
    expect(await rowsOf('look-m-tp-a', 'paper')).not.toBe(textFirst);
    expect(await rowsOf('look-m-tp-p', 'paper')).toBe(textFirst);
  });

  it('share the full cache, for each number of rows', async () => {
    const compressor = new LayerCompressor(layer, plainTools);
    const all = { kind: 'tokens', recent: 60, important: 60 } as const;
    const full = await compressor.compress(policyOf('full', 'release'), null, 60);
    const covered = await compressor.compress(policyOf('h2o', 'release'), all, 60);
    expect(covered.cache).toBe(full.cache);
    expect(covered.outcome).toEqual({ kind: 'unchanged', reason: 'prompt within budget' });
    expect((await compressor.compress(policyOf('full', 'release'), null, 59)).cache.rows).toBe(59);
  });
});

it('nearest keys are searched once for all rules that merge into the same rows', async () => {
  let searches = 0;
  const counting: NearestKeySearch = (options) => {
    searches++;
    return plainTools.nearestKeys(options);
  };
  const compressor = new LayerCompressor(layer, { ...plainTools, nearestKeys: counting });
  for (const name of ['look-m-a', 'look-m-w', 'look-m-p', 'look-m-p'])
    await compressor.compress(policyOf(name, 'paper'), budget, layer.length);
  expect(searches).toBe(1);
  await compressor.compress(policyOf('look-m-tp-p', 'paper'), budget, layer.length);
  expect(searches).toBe(2);
});

it('rows stay as they are when the compressor is closed and its memory used again', async () => {
  const pool = new FloatPool();
  const tools = { ...plainTools, pool };
  const compressor = new LayerCompressor(layer, tools);
  const names = ['h2o', 'look-m-a', 'look-m-w', 'look-m-tp-p', 'snapkv'];
  const held = [];
  for (const name of names)
    held.push((await compressor.compress(policyOf(name, 'paper'), budget, layer.length)).cache);
  compressor.close();
  const sizes = new Set(held.map(({ keys }) => keys.length));
  for (const size of [...sizes, ...Array.from({ length: 40 }, (_, i) => 40 * (i + 1))])
    for (let times = 0; times < 8; times++) pool.take(size).fill(Number.NaN);
  for (const [index, name] of names.entries()) {
    const { cache } = await compressAlone(layer, policyOf(name, 'paper'), budget);
    expect(held[index]).toEqual(cache);
  }
});

it('the rows of a selection given from outside are merged as those of a policy', async () => {
  const policy = policyOf('look-m-p', 'paper');
  const expected = await compressAlone(layer, policy, budget);
  if (policy.kind === 'full') throw new Error('look-m-p compresses');
  const compressor = new LayerCompressor(layer, plainTools);
  const { rows, kept } = expected.cache;
  const merged = await compressor.compressSelection({ rows, kept }, policy.composition.merge);
  expect(merged).toEqual(expected.cache);
  const other = policyOf('look-m-a', 'paper');
  if (other.kind === 'full') throw new Error('look-m-a compresses');
  const averaged = await compressor.compressSelection({ rows, kept }, other.composition.merge);
  expect(averaged).toEqual((await compressAlone(layer, other, budget)).cache);
});

it('milliseconds count shared steps in full for each cell', async () => {
  const compressor = new LayerCompressor(layer, plainTools);
  const first = await compressor.compress(policyOf('h2o', 'release'), budget, layer.length);
  const again = await compressor.compress(policyOf('h2o', 'release'), budget, layer.length);
  expect(first.milliseconds).toBeGreaterThan(0);
  expect(again.milliseconds).toBe(first.milliseconds);
});
