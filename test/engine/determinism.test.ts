import { afterAll, expect, it } from 'vitest';
import { LayerCompressor } from '../../src/compression/layer-compressor.js';
import { MethodSet } from '../../src/compression/method-set.js';
import { policyNeeds } from '../../src/compression/policy.js';
import { unionOfNeeds } from '../../src/core/attention-statistics.js';
import { sha256 } from '../../src/core/content-hash.js';
import { FloatPool } from '../../src/core/float-pool.js';
import { chunkRows } from '../../src/engine/chunk-plan.js';
import { cacheCapacity } from '../../src/engine/layer-cache.js';
import { referenceChannels } from '../support/channel-arithmetic.js';
import { Kernels } from '../support/kernels.js';
import { prefillLayer } from '../support/prefill-layer.js';
import { randomPrompt } from '../support/random-prompt.js';

const repetitions = 200;
const length = 600;
const shape = { heads: 8, kvHeads: 8, headDim: 32 };
const prompt = randomPrompt({ shape, length, seed: 1, images: [{ start: 20, length: 540 }] });
const budget = { kind: 'ratio', recent: 0.1, important: 0.1 } as const;
const methods = new MethodSet();
const policies = [
  ...['h2o', 'snapkv', 'look-m-tp-p'].map((name) => methods.policy(name, 'release')),
  ...['h2o', 'snapkv', 'roco', 'look-m-tp-p'].map((name) => methods.policy(name, 'paper')),
];
const place = { layer: 0, layers: 1, heads: shape.kvHeads, headDim: shape.headDim, length };
const needs = unionOfNeeds(policies.map((policy) => policyNeeds(policy, budget, place)));

const two = new Kernels({ threads: 2 });
const one = new Kernels({ threads: 1 });
afterAll(async () => {
  await two.close();
  await one.close();
});

function hashOf({ buffer, byteOffset, byteLength }: Float32Array | Int8Array | Int32Array): string {
  return sha256(new Uint8Array(buffer, byteOffset, byteLength));
}

/** Hashes of what a prefill and the policies come to: kept indices, keys and values. */
async function hashes(kernels: Kernels): Promise<string[]> {
  const layer = await prefillLayer(kernels, prompt, { needs, chunkRows });
  const compressor = new LayerCompressor(layer, {
    channels: referenceChannels,
    nearestKeys: await kernels.nearestKeys(shape.headDim),
    capacityFor: cacheCapacity,
    pool: new FloatPool(),
  });
  const found: string[] = [];
  for (const policy of policies) {
    const { cache } = await compressor.compress(policy, budget, length);
    found.push(...[cache.kept, cache.keys, cache.values].map(hashOf));
  }
  compressor.close();
  return found;
}

it(`two intra-op threads give bit-identical kept indices and merged rows in ${repetitions} runs`, async () => {
  const first = await hashes(two);
  expect(new Set(first.filter((_, i) => i % 3 === 0)).size).toBeGreaterThan(3);
  let identical = 0;
  for (let run = 0; run < repetitions; run++) {
    expect(await hashes(two), `run ${run}`).toEqual(first);
    identical++;
  }
  expect(identical).toBe(repetitions);
});

it('one thread gives the bits that two give', async () => {
  expect(await hashes(one)).toEqual(await hashes(two));
});
