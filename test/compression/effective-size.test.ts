import { expect, it } from 'vitest';
import type { MethodSemantics } from '../../src/compression/method-set.js';
import type { Budget } from '../../src/core/budget.js';
import { compressAlone, policyOf } from '../support/compress.js';
import { randomLayer } from '../support/random-layer.js';

/** Ten images of 576 tokens among 600 text tokens, as many in the recent window as given. */
function tenImages(textAtTheEnd: number) {
  const images = 10;
  const tokensPerImage = 576;
  const text = 600;
  const length = images * tokensPerImage + text;
  const before = text - textAtTheEnd;
  const spans = Array.from({ length: images }, (_, i) => {
    const textSoFar = Math.round((before * (i + 1)) / images);
    return { start: textSoFar + i * tokensPerImage, length: tokensPerImage };
  });
  return randomLayer({ heads: 1, headDim: 1, length, images: spans, seed: 9 });
}

const percent = (share: number): Budget => ({ kind: 'ratio', recent: share / 2, important: share / 2 });

/** Effective and nominal rows in percent of the prompt, two decimals. */
async function sizes(textAtTheEnd: number, semantics: MethodSemantics, share: number): Promise<number[]> {
  const layer = tenImages(textAtTheEnd);
  const { cache, nominal } = await compressAlone(layer, policyOf('look-m-tp', semantics), percent(share));
  const rows = [cache.rows, nominal.recent + nominal.important];
  return rows.map((count) => Number(((100 * count) / layer.length).toFixed(2)));
}

it('ten images and 600 text tokens: the release keeps 20 %, 9.4-9.6 % and 9.4 % at nominal 20 %, 5 % and 1 %', async () => {
  // The window of 159 rows holds text alone, or 13 image tokens.
  expect(await sizes(159, 'release', 0.2)).toEqual([20, 20]);
  expect(await sizes(159, 'release', 0.05)).toEqual([9.43, 5]);
  expect(await sizes(146, 'release', 0.05)).toEqual([9.64, 5]);
  expect(await sizes(159, 'release', 0.01)).toEqual([9.43, 0.97]);
});

it('the same prompt under paper keeps what the budget says', async () => {
  expect(await sizes(159, 'paper', 0.2)).toEqual([20, 20]);
  expect(await sizes(146, 'paper', 0.05)).toEqual([5, 5]);
  expect(await sizes(159, 'paper', 0.01)).toEqual([0.97, 0.97]);
});
