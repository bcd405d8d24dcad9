import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { layOutModalities } from '../../src/backbone/modality-spans.js';
import { imagePlaceholderId } from '../../src/backbone/tokenize-prompt.js';
import { fixturePath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';

const promptIds = fc.array(fc.constantFrom(imagePlaceholderId, 5, 6), { maxLength: 30 });
const tokensPerImage = fc.integer({ min: 1, max: 9 });

test('the golden LLaVA prompt expands to the recorded spans', () => {
  const golden = readJson(
    fixturePath('backbones/llava/golden.json'),
    z.object({
      input_ids: z.array(z.int()),
      tokens_per_image: z.int(),
      sequence_length: z.int(),
      image_spans: z.array(z.tuple([z.int(), z.int()])),
    }),
  );
  const layout = layOutModalities(golden.input_ids, { tokensPerImage: golden.tokens_per_image });
  expect(layout.length).toBe(golden.sequence_length);
  expect(layout.spans.map(({ start, length }) => [start, start + length])).toEqual(golden.image_spans);
});

describe('the compression vectors', () => {
  const { cases } = readJson(
    fixturePath('kv/index.json'),
    z.object({
      cases: z.array(
        z.object({
          id: z.string(),
          seq_len: z.int(),
          image_tokens: z.int(),
          image_positions: z.array(z.int()),
          image_spans: z.array(z.tuple([z.int(), z.int()])),
        }),
      ),
    }),
  );
  test.each(cases)('$id: spans from placeholder positions, cut at the end', (vector) => {
    const { seq_len: length, image_tokens: perImage, image_positions: positions } = vector;
    const unexpanded = length - positions.length * (perImage - 1);
    const ids = Array.from({ length: Math.max(unexpanded, 1 + Math.max(-1, ...positions)) }, (_, index) =>
      positions.includes(index) ? imagePlaceholderId : 7,
    );
    const layout = layOutModalities(ids, { tokensPerImage: perImage, maxLength: length });
    const cut = vector.image_spans
      .map(([start, count]) => ({ start, length: Math.min(count, length - start) }))
      .filter((span) => span.length > 0);
    expect(layout.length).toBe(length);
    expect(layout.spans).toEqual(cut);
  });
});

test('every image position is in a span and every span is image', () => {
  fc.assert(
    fc.property(
      promptIds,
      tokensPerImage,
      fc.option(fc.nat(80), { nil: undefined }),
      (ids, perImage, cut) => {
        const layout = layOutModalities(ids, { tokensPerImage: perImage, maxLength: cut });
        const whole = ids.flatMap((id) =>
          id === imagePlaceholderId ? new Array<number>(perImage).fill(1) : [0],
        );
        expect([...layout.imageMask]).toEqual(whole.slice(0, cut ?? whole.length));
        const marked = new Uint8Array(layout.length);
        for (const { start, length } of layout.spans) marked.fill(1, start, start + length);
        expect(marked).toEqual(layout.imageMask);
      },
    ),
  );
});

test('an image cut away entirely has no span', () => {
  const ids = [5, imagePlaceholderId, imagePlaceholderId];
  expect(layOutModalities(ids, { tokensPerImage: 4, maxLength: 5 }).spans).toEqual([{ start: 1, length: 4 }]);
  expect(layOutModalities(ids, { tokensPerImage: 4, maxLength: 6 }).spans).toEqual([
    { start: 1, length: 4 },
    { start: 5, length: 1 },
  ]);
});
