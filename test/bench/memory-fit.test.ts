import { expect, test } from 'vitest';
import { estimateMemory, leastBytes, mostBytes } from '../../src/bench/memory-estimate.js';
import { fitMemory, type MemoryRequest } from '../../src/bench/memory-fit.js';
import type { Cell } from '../../src/bench/record.js';
import { MethodSet } from '../../src/compression/method-set.js';

const full: Cell = { method: 'full', semantics: 'release', budget: null, firstToken: 'prefill' };
const h2o: Cell = {
  method: 'h2o',
  semantics: 'release',
  budget: { kind: 'ratio', recent: 0.1, important: 0.1 },
  firstToken: 'prefill',
};

/** LLaVA-1.5-7B in float32, at its longest prompt. */
const request: MemoryRequest = {
  backbone: {
    tokensPerImage: 576,
    weights: 28e9,
    text: {
      ...{ hiddenSize: 4096, intermediateSize: 11008, layers: 32, heads: 32, kvHeads: 32, headDim: 128 },
      ...{ vocabSize: 32000, rmsNormEps: 1e-5, ropeTheta: 1e4, maxPositions: 4096 },
    },
  },
  cells: [full, h2o, h2o],
  methods: new MethodSet(),
  prompt: { text: 48, images: 4032 },
  maxNewTokens: 16,
  decoding: 'alone',
};
const estimate = estimateMemory(request);

test('all caches stay in memory where they fit', () => {
  expect(fitMemory(request, mostBytes(estimate)).fit).toEqual({ kind: 'whole' });
});

test('what is left for caches is said where they do not', () => {
  const { fit } = fitMemory(request, mostBytes(estimate) - 1);
  expect(fit).toEqual({ kind: 'in parts', cacheBytes: estimate.caches - 1 });
  const least = fitMemory(request, leastBytes(estimate));
  expect(least.fit).toEqual({ kind: 'in parts', cacheBytes: estimate.largestCache });
});

test('what would fit is proposed, and does', () => {
  const proposed = (changed: Partial<MemoryRequest>, limit: number): readonly string[] => {
    const { fit } = fitMemory({ ...request, ...changed }, limit);
    return fit.kind === 'too large' ? fit.proposals : [fit.kind];
  };
  expect(proposed({}, leastBytes(estimate) - 1)).toEqual([
    'leave out method full',
    'convert the backbone with --dtype int4',
    'set max-context to 4079 or less',
  ]);
  expect(proposed({}, 13e9)).toEqual(['convert the backbone with --dtype int4']);
  expect(proposed({ cells: [full] }, leastBytes(estimate) - 2e9)).not.toContain('leave out method full');
  expect(proposed({}, 1e9)).toEqual([]);
});

test('the longest prompt that is proposed fits, and the next one does not', () => {
  const limit = leastBytes(estimate) - 1e9;
  const { fit } = fitMemory(request, limit);
  const proposal = fit.kind === 'too large' ? fit.proposals.at(-1) : undefined;
  const [, longest] = /^set max-context to (\d+)/.exec(proposal ?? '') ?? [];
  const length = Number(longest);
  const images = Math.floor((4032 * length) / 4080);
  expect(fitMemory({ ...request, prompt: { text: length - images, images } }, limit).fit.kind).toBe(
    'in parts',
  );
  const beyond = { text: length - images, images: images + 1 };
  expect(fitMemory({ ...request, prompt: beyond }, limit).fit.kind).toBe('too large');
});
