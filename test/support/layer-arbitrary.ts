import fc from 'fast-check';
import type { LayerInput } from '../../src/compression/layer-input.js';
import type { Budget } from '../../src/core/budget.js';
import { type RandomLayerOptions, randomLayer } from './random-layer.js';

/** Layers of up to 60 tokens with one image somewhere or none, some with many equal statistics. */
export function layerArbitrary(
  fixed: Partial<Pick<RandomLayerOptions, 'grades'>> & { readonly leastHeadDim?: number } = {},
): fc.Arbitrary<LayerInput> {
  const { leastHeadDim = 1, ...rest } = fixed;
  return fc
    .record({
      heads: fc.integer({ min: 1, max: 3 }),
      headDim: fc.integer({ min: leastHeadDim, max: 9 }),
      length: fc.integer({ min: 2, max: 60 }),
      slack: fc.integer({ min: 0, max: 2 }),
      imageStart: fc.integer({ min: 0, max: 40 }),
      imageLength: fc.integer({ min: 0, max: 40 }),
      seed: fc.integer(),
    })
    .map(({ slack, imageStart, imageLength, ...shape }) =>
      randomLayer({
        ...shape,
        ...rest,
        capacity: shape.length + slack,
        images: [{ start: Math.min(imageStart, shape.length - 1), length: imageLength }],
      }),
    );
}

/** Shares of the prompt and numbers of rows, zeros among them. */
export const budgetArbitrary: fc.Arbitrary<Budget> = fc.oneof(
  fc.record({
    kind: fc.constant('ratio' as const),
    recent: fc.double({ min: 0, max: 0.5, noNaN: true }),
    important: fc.double({ min: 0, max: 0.5, noNaN: true }),
  }),
  fc.record({ kind: fc.constant('tokens' as const), recent: fc.nat(20), important: fc.nat(30) }),
);
