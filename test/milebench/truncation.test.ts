import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keepContextEnd } from '../../src/milebench/truncation.js';

const tokenizer = {
  encode: (text: string): number[] => [...text].map((character) => character.codePointAt(0)!),
  decode: (tokens: number[]): string => String.fromCodePoint(...tokens),
};
const context = { fragments: ['aa', 'bbb', 'cccc'], images: ['1', '2'], tokensPerImage: 10, tokenizer };

describe('cutting a context from the left', () => {
  test.each([
    [29, ['aa', 'bbb', 'cccc'], ['1', '2'], false],
    [28, ['bbb', 'cccc'], ['1', '2'], true],
    [27, ['bbb', 'cccc'], ['1', '2'], true],
    [26, ['bbb', 'cccc'], ['2'], false],
    [16, ['cccc'], ['2'], true],
    [13, ['cccc'], [], false],
    [4, ['cccc'], [], false],
    [3, ['ccc'], [], false],
    [0, ['cccc'], [], false],
    [-1, ['ccc'], [], false],
    [-9, [''], [], false],
  ])('to %i tokens keeps %j with images %j', (budget, fragments, images, opensWithImage) => {
    expect(keepContextEnd({ ...context, budget })).toEqual({ fragments, images, opensWithImage });
  });

  test('puts an image nobody refers to in front of the first fragment', () => {
    const kept = keepContextEnd({ ...context, images: ['1', '2', '3', '4'], budget: 100 });
    expect(kept).toEqual({ fragments: ['aa', 'bbb', 'cccc'], images: ['2', '3', '4'], opensWithImage: true });
  });

  test('counts no image when images take no room', () => {
    const kept = keepContextEnd({ ...context, tokensPerImage: null, budget: 9 });
    expect(kept).toEqual({ fragments: ['aa', 'bbb', 'cccc'], images: [], opensWithImage: false });
  });

  test('works on typed arrays of tokens', () => {
    const typed = {
      encode: (text: string): Uint32Array => Uint32Array.from(tokenizer.encode(text)),
      decode: (tokens: Uint32Array): string => tokenizer.decode([...tokens]),
    };
    const { fragments, images, tokensPerImage } = context;
    const kept = keepContextEnd({ fragments, images, tokensPerImage, tokenizer: typed, budget: 3 });
    expect(kept.fragments).toEqual(['ccc']);
  });

  test('never passes a positive budget and always keeps an end of the fragments and of the images', () => {
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 6 });
    const inputs = fc.record({
      fragments: fc.array(text, { minLength: 1, maxLength: 6 }),
      images: fc.array(fc.string(), { maxLength: 6 }),
      budget: fc.integer({ min: 1, max: 60 }),
      tokensPerImage: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(inputs, ({ fragments, images, budget, tokensPerImage }) => {
        const kept = keepContextEnd({ fragments, images, budget, tokensPerImage, tokenizer });
        const used = kept.fragments.join('').length + kept.images.length * tokensPerImage;
        expect(used).toBeLessThanOrEqual(budget);
        expect(fragments.join('|').endsWith(kept.fragments.join('|'))).toBe(true);
        expect(images.slice(images.length - kept.images.length)).toEqual(kept.images);
      }),
    );
  });
});
