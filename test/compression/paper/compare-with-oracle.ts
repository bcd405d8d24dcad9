import { expect } from 'vitest';
import type { CacheRows } from '../../../src/compression/compressed-layer.js';
import { LayerCompressor } from '../../../src/compression/layer-compressor.js';
import { MethodSet } from '../../../src/compression/method-set.js';
import { type Policy, policyNeeds } from '../../../src/compression/policy.js';
import { unionOfNeeds } from '../../../src/core/attention-statistics.js';
import type { Budget } from '../../../src/core/budget.js';
import { cacheCapacity } from '../../../src/engine/layer-cache.js';
import { referenceChannels } from '../../support/channel-arithmetic.js';
import { unquantised } from '../../support/compress.js';
import type { Kernels } from '../../support/kernels.js';
import {
  type OracleCache,
  type PaperMethod,
  PaperOracle,
  paperMethods,
} from '../../support/oracle/paper-cache.js';
import { PoisonedPool } from '../../support/poisoned-pool.js';
import { prefillLayer } from '../../support/prefill-layer.js';
import { type HeadShape, type ImageSpans, randomPrompt } from '../../support/random-prompt.js';

export interface ComparedShape extends HeadShape {
  readonly length: number;
  readonly chunkRows: number;
  readonly images: ImageSpans;
}

/** Float32 and float64 may order closer scores, or closer similarities, differently. */
const leastScoreMargin = 1e-5;
const leastSimilarityMargin = 1e-6;

/** Draws of a prompt after which a case that is always too close to a tie is taken for a fault of the test. */
const mostDraws = 300;

const layers = 2;

/** Prompts that every method, budget and protocol is compared on. */
const prompts = 3;

/** Shares, rows and bytes; windows of no row, of less and of more than SnapKV's own. */
function budgetsFor({ kvHeads, headDim }: HeadShape): Budget[] {
  const bytesOfRow = layers * kvHeads * headDim * 8;
  return [
    { kind: 'ratio', recent: 0.1, important: 0.1 },
    { kind: 'ratio', recent: 0.05, important: 0.29 },
    { kind: 'ratio', recent: 0, important: 0.2 },
    { kind: 'ratio', recent: 0.25, important: 0 },
    { kind: 'tokens', recent: 4, important: 6 },
    { kind: 'tokens', recent: 33, important: 1 },
    { kind: 'tokens', recent: 3, important: 30 },
    { kind: 'bytes', recent: 5 * bytesOfRow + 1, important: 9 * bytesOfRow + 7 },
  ];
}

const budgetCount = budgetsFor({ heads: 1, kvHeads: 1, headDim: 1 }).length;
const protocols = 2;
export const casesPerShape = Object.keys(paperMethods).length * budgetCount * protocols * prompts;

interface Case {
  readonly method: PaperMethod;
  readonly policy: Policy;
  readonly budget: Budget;
  /** Tokens left out of compression at the end: the first-token protocol. */
  readonly leftOut: 0 | 1;
  /** Prompts left to compare on. */
  prompts: number;
}

/** Compares every paper method under every budget and both protocols on prompts drawn until none is close to a tie. */
export async function compareWithOracle(
  kernels: Kernels,
  { length, chunkRows, images, ...shape }: ComparedShape,
): Promise<{ readonly compared: number; readonly tooClose: number; readonly largestError: number }> {
  let open = casesOf(shape);
  let compared = 0;
  let tooClose = 0;
  let largestError = 0;
  for (let seed = 1; seed <= mostDraws && open.length > 0; seed++) {
    const prompt = randomPrompt({ shape, length, images, seed });
    const place = { layer: 0, layers, heads: shape.kvHeads, headDim: shape.headDim };
    const needs = unionOfNeeds(
      open.map(({ policy, budget, leftOut }) =>
        policyNeeds(policy, budget, { ...place, length: length - leftOut }),
      ),
    );
    const layer = await prefillLayer(kernels, prompt, { needs, chunkRows, layers });
    const compressor = new LayerCompressor(layer, {
      channels: referenceChannels,
      nearestKeys: await kernels.nearestKeys(shape.headDim),
      capacityFor: cacheCapacity,
      pool: new PoisonedPool(),
    });
    const oracle = new PaperOracle(prompt);
    const left: Case[] = [];
    for (const one of open) {
      const seen = length - one.leftOut;
      const expected = oracle.cache(one.method, one.budget, { seen, layers });
      if (!isDecided(expected)) {
        tooClose++;
        left.push(one);
        continue;
      }
      compared++;
      one.prompts--;
      if (one.prompts > 0) left.push(one);
      const { cache } = unquantised(await compressor.compress(one.policy, one.budget, seen));
      expectSameRows(cache, expected, `${one.method}, ${JSON.stringify(one.budget)}, seed ${seed}`);
      largestError = Math.max(largestError, errorOf(cache, expected, shape.headDim));
    }
    compressor.close();
    open = left;
  }
  return { compared, tooClose, largestError };
}

function casesOf(shape: HeadShape): Case[] {
  const methods = new MethodSet();
  return (Object.keys(paperMethods) as PaperMethod[]).flatMap((method) =>
    budgetsFor(shape).flatMap((budget) =>
      ([0, 1] as const).map(
        (leftOut): Case => ({ method, policy: methods.policy(method, 'paper'), budget, leftOut, prompts }),
      ),
    ),
  );
}

function isDecided({ scoreMargin, similarityMargin }: OracleCache): boolean {
  return scoreMargin >= leastScoreMargin && similarityMargin >= leastSimilarityMargin;
}

function expectSameRows({ rows, kept }: CacheRows, { heads }: OracleCache, about: string): void {
  expect(rows, about).toBe(heads[0]!.kept.length);
  expect(Array.from(kept), about).toEqual(heads.flatMap((head) => head.kept));
}

function errorOf(
  { rows, capacity, keys, values }: CacheRows,
  expected: OracleCache,
  headDim: number,
): number {
  let worst = 0;
  for (const [head, own] of expected.heads.entries()) {
    for (let row = 0; row < rows; row++) {
      const from = (head * capacity + row) * headDim;
      for (let d = 0; d < headDim; d++) {
        const key = Math.abs(keys[from + d]! - own.keys[row]![d]!);
        const value = Math.abs(values[from + d]! - own.values[row]![d]!);
        if (!(key <= worst)) worst = Number.isNaN(key) ? Number.POSITIVE_INFINITY : key;
        if (!(value <= worst)) worst = Number.isNaN(value) ? Number.POSITIVE_INFINITY : value;
      }
    }
  }
  return worst;
}
