import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeEmbeddings } from '../../src/backbone/merge-embeddings.js';
import { layOutModalities } from '../../src/backbone/modality-spans.js';
import { imagePlaceholderId } from '../../src/backbone/tokenize-prompt.js';
import { BugError, UserError } from '../../src/core/errors.js';
import { fixturePath } from '../support/fixture-path.js';
import { float32Values, int32Values, readSafetensors } from '../support/read-safetensors.js';

/** Row of token id n: n, n + 0.5. */
const readRow = (id: number, target: Float32Array): void => target.set([id, id + 0.5]);
const image = (value: number, rows: number): Float32Array => new Float32Array(2 * rows).fill(value);

describe('the golden LLaVA embeddings', () => {
  const golden = readSafetensors(fixturePath('backbones/llava/golden.safetensors'));
  const hiddenSize = 64;
  const inputIds = [...int32Values(golden, 'input_ids')];
  const expected = float32Values(golden, 'inputs_embeds');
  const projected = float32Values(golden, 'projector_output');
  const tokensPerImage = 196;
  const perImage = tokensPerImage * hiddenSize;
  const imageFeatures = [0, 1, 2].map((i) => projected.subarray(i * perImage, (i + 1) * perImage));

  test('hold the projector rows in the image spans and one row a token elsewhere', () => {
    const { imageMask } = layOutModalities(inputIds, { tokensPerImage });
    const textRows = [...imageMask.keys()].filter((position) => imageMask[position] === 0);
    let next = 0;
    const merged = mergeEmbeddings({
      inputIds,
      imageFeatures,
      hiddenSize,
      readRow: (_id, target) => {
        const row = textRows[next++]!;
        target.set(expected.subarray(row * hiddenSize, (row + 1) * hiddenSize));
      },
    });
    expect(merged).toEqual(expected);
    expect(next).toBe(textRows.length);
  });
});

describe('order and cutting', () => {
  const ids = [7, imagePlaceholderId, 8, imagePlaceholderId];

  test('rows follow the ids', () => {
    const merged = mergeEmbeddings({
      inputIds: ids,
      imageFeatures: [image(-1, 2), image(-2, 2)],
      hiddenSize: 2,
      readRow,
    });
    expect([...merged]).toEqual([7, 7.5, -1, -1, -1, -1, 8, 8.5, -2, -2, -2, -2]);
  });

  test('a cut sequence is the beginning of the whole one', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(imagePlaceholderId, 3, 4), { maxLength: 12 }),
        fc.nat(40),
        (inputIds, maxLength) => {
          const imageFeatures = inputIds.map((_, index) => image(-1 - index, 3));
          const parts = { inputIds, imageFeatures, hiddenSize: 2, readRow };
          const whole = mergeEmbeddings(parts);
          const cut = mergeEmbeddings({ ...parts, maxLength });
          expect(cut).toEqual(whole.slice(0, 2 * maxLength));
          expect(cut.length / 2).toBe(layOutModalities(inputIds, { tokensPerImage: 3, maxLength }).length);
        },
      ),
    );
  });

  test('images without a placeholder are ignored', () => {
    const merged = mergeEmbeddings({ inputIds: [7], imageFeatures: [image(-1, 2)], hiddenSize: 2, readRow });
    expect([...merged]).toEqual([7, 7.5]);
  });

  test('a placeholder without image is the sample’s fault', () => {
    const parts = { inputIds: ids, imageFeatures: [image(-1, 2)], hiddenSize: 2, readRow };
    expect(() => mergeEmbeddings(parts)).toThrow(UserError);
    expect(() => mergeEmbeddings(parts)).toThrow('2 image marks but only 1 images');
  });

  test('features that are not whole rows are a bug', () => {
    const parts = {
      inputIds: [imagePlaceholderId],
      imageFeatures: [new Float32Array(3)],
      hiddenSize: 2,
      readRow,
    };
    expect(() => mergeEmbeddings(parts)).toThrow(BugError);
  });
});
