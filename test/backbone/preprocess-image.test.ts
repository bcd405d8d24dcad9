import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { readImage } from '../../src/backbone/decode-image.js';
import { fitImage, type ImageSettings, normaliseImage } from '../../src/backbone/preprocess-image.js';
import type { RgbImage } from '../../src/backbone/rgb-image.js';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';
import { float32Values, readSafetensors } from '../support/read-safetensors.js';

/** Both stages: RGB image -> pixels [3, S, S]. */
function pixelValues(image: RgbImage, settings: ImageSettings): Float32Array {
  return normaliseImage(fitImage(image, settings), settings);
}

const triple = z.tuple([z.number(), z.number(), z.number()]);
const clip = readJson(
  fixturePath('backbones/llava/clip/preprocessor_config.json'),
  z.object({ size: z.int(), image_mean: triple, image_std: triple }),
);
const settings = (aspect: ImageSettings['aspect']): ImageSettings => ({
  aspect,
  size: clip.size,
  mean: clip.image_mean,
  std: clip.image_std,
  rescaleFactor: 1 / 255,
});

const llava = readJson(fixturePath('backbones/llava/golden.json'), z.object({ images: z.array(z.string()) }));
const goldenFile = readSafetensors(fixturePath('backbones/llava/golden.safetensors'));

/** The 8-bit image [S, S, 3] behind normalised pixels [3, S, S]. */
function samplesBehind(pixels: Float32Array, { mean, std, size }: ImageSettings): Uint8Array {
  const samples = new Uint8Array(pixels.length);
  for (let channel = 0; channel < 3; channel++) {
    for (let pixel = 0; pixel < size * size; pixel++) {
      const value = pixels[channel * size * size + pixel]! * std[channel]! + mean[channel]!;
      samples[3 * pixel + channel] = Math.round(255 * value);
    }
  }
  return samples;
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = a.length === b.length ? 0 : Number.POSITIVE_INFINITY;
  for (let i = 0; i < a.length; i++) largest = Math.max(largest, Math.abs(a[i]! - b[i]!));
  return largest;
}

const goldenCases = (['pad', 'crop'] as const).flatMap((aspect) =>
  llava.images.map((path, index) => ({ aspect, path, index })),
);

describe('pixels equal the official image processor', () => {
  test.each(goldenCases)('$aspect $path', async ({ aspect, path, index }) => {
    const choice = settings(aspect);
    const image = await readImage(fixturePath(`backbones/llava/${path}`));
    const elements = 3 * choice.size * choice.size;
    const expected = float32Values(goldenFile, `pixel_values_${aspect}`).subarray(
      index * elements,
      (index + 1) * elements,
    );
    expect(fitImage(image, choice).data).toEqual(samplesBehind(expected, choice));
    expect(largestDifference(pixelValues(image, choice), expected)).toBeLessThanOrEqual(1e-6);
  });

  test('crop, as the HF layout uses it', async () => {
    const file = readSafetensors(fixturePath('backbones/llava-hf/golden.safetensors'));
    const image = await readImage(fixturePath(`backbones/llava/${llava.images[0]}`));
    const pixels = pixelValues(image, settings('crop'));
    expect(largestDifference(pixels, float32Values(file, 'hf.pixel_values'))).toBeLessThanOrEqual(1e-6);
  });

  test('the embedded model: images of the right size are only normalised', async () => {
    const file = readSafetensors(fixturePath('embedded/golden_sample.safetensors'));
    const { dataset, sample_id: sampleId } = file.metadata;
    const annotation = readJson(
      repositoryPath(`datasets/minimile/${dataset}/${dataset}.json`),
      z.object({
        data: z.array(
          z.object({ sample_id: z.int(), task_instance: z.object({ images_path: z.array(z.string()) }) }),
        ),
      }),
    );
    const sample = annotation.data.find((entry) => String(entry.sample_id) === sampleId);
    const processor = readJson(
      repositoryPath('models/tiny-llava/preprocessor_config.json'),
      z.object({
        size: z.object({ shortest_edge: z.int() }),
        image_mean: triple,
        image_std: triple,
        rescale_factor: z.number(),
      }),
    );
    const choice: ImageSettings = {
      aspect: 'crop',
      size: processor.size.shortest_edge,
      mean: processor.image_mean,
      std: processor.image_std,
      rescaleFactor: processor.rescale_factor,
    };
    const expected = float32Values(file, 'pixel_values');
    const elements = 3 * choice.size * choice.size;
    const paths = sample?.task_instance.images_path ?? [];
    expect(paths.length * elements).toBe(expected.length);
    for (const [index, path] of paths.entries()) {
      const image = await readImage(repositoryPath(`datasets/minimile/${dataset}/images/${path}`));
      expect(fitImage(image, choice).data).toEqual(image.data);
      const difference = largestDifference(
        pixelValues(image, choice),
        expected.subarray(index * elements, (index + 1) * elements),
      );
      expect(difference).toBeLessThanOrEqual(1e-6);
    }
  });
});

describe('shapes', () => {
  const flat = (width: number, height: number) => ({
    width,
    height,
    data: new Uint8Array(3 * width * height).fill(200),
  });

  test.each([
    [1, 1],
    [1, 5000],
    [5000, 1],
    [57, 56],
  ])('%i x %i gives [S, S, 3] on both paths', (width, height) => {
    for (const aspect of ['pad', 'crop'] as const) {
      const fitted = fitImage(flat(width, height), settings(aspect));
      expect([fitted.width, fitted.height, fitted.data.length]).toEqual([56, 56, 3 * 56 * 56]);
    }
  });

  test('padding is the mean colour, truncated', () => {
    const { data } = fitImage(flat(112, 2), settings('pad'));
    expect([...data.subarray(0, 3)]).toEqual([122, 116, 104]);
  });

  test('the channels become planes', () => {
    const image = { width: 1, height: 1, data: Uint8Array.of(0, 128, 255) };
    const plain: ImageSettings = {
      aspect: 'pad',
      size: 1,
      mean: [0, 0, 0],
      std: [1, 1, 1],
      rescaleFactor: 1,
    };
    expect([...normaliseImage(image, plain)]).toEqual([0, 128, 255]);
  });
});
