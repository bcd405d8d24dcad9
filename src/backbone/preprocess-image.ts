import { invariant } from '../core/errors.js';
import type { BundleManifest } from './bundle-manifest.js';
import { resizeBicubic } from './resize-bicubic.js';
import { type RgbImage, rowsOf, rowsOnSquare } from './rgb-image.js';

/** How a bundle wants its images. */
export type ImageSettings = BundleManifest['image'];

/**
 * The 8-bit stage: any RGB image -> [S, S, 3], S = `settings.size`. Reference: LLaVA mm_utils.py `process_images` with
 * transformers' CLIPImageProcessor.
 *
 * `pad` pastes the image on a square of the mean colour and resizes that to S; `crop` resizes the shortest edge
 * to S, the other to trunc(S * long / short), and cuts S x S out of the centre, offset floor((n - S) / 2). Neither
 * edge can come out shorter than S, so the processor's zero padding never applies. Only the part that is cut out
 * is resized.
 */
export function fitImage(image: RgbImage, settings: ImageSettings): RgbImage {
  const { size } = settings;
  switch (settings.aspect) {
    case 'pad':
      return resizeBicubic(rowsOnSquare(image, meanColour(settings)), { width: size, height: size });
    case 'crop': {
      const short = Math.min(image.width, image.height);
      const width = Math.trunc((size * image.width) / short);
      const height = Math.trunc((size * image.height) / short);
      const left = Math.floor((width - size) / 2);
      const top = Math.floor((height - size) / 2);
      return resizeBicubic(rowsOf(image), {
        width,
        height,
        window: { left, top, width: size, height: size },
      });
    }
  }
}

/**
 * 8-bit image [S, S, 3] -> float32 [3, S, S]: the sample times the rescale factor, rounded to float32, then
 * (x - mean) / std in float32 steps, as numpy does in CLIPImageProcessor.
 */
export function normaliseImage(image: RgbImage, settings: ImageSettings): Float32Array {
  const pixels = image.width * image.height;
  invariant(image.data.length === 3 * pixels, 'an RGB image must hold three samples a pixel');
  const result = new Float32Array(3 * pixels);
  const tables = sampleTables(settings);
  for (let channel = 0; channel < 3; channel++) {
    const table = tables[channel]!;
    const plane = channel * pixels;
    for (let pixel = 0, at = channel; pixel < pixels; pixel++, at += 3) {
      result[plane + pixel] = table[image.data[at]!]!;
    }
  }
  return result;
}

const knownTables = new WeakMap<ImageSettings, readonly Float32Array[]>();

/** The tables of the three channels, made once for each settings object. */
function sampleTables(settings: ImageSettings): readonly Float32Array[] {
  const known = knownTables.get(settings);
  if (known !== undefined) return known;
  const tables = [0, 1, 2].map((channel) => normalisedSamples(settings, channel));
  knownTables.set(settings, tables);
  return tables;
}

/** -> [256]: the normalised value of every 8-bit sample of one channel. */
function normalisedSamples(settings: ImageSettings, channel: number): Float32Array {
  const mean = Math.fround(settings.mean[channel]!);
  const std = Math.fround(settings.std[channel]!);
  return Float32Array.from({ length: 256 }, (_, sample) => {
    const scaled = Math.fround(sample * settings.rescaleFactor);
    return Math.fround(scaled - mean) / std;
  });
}

/** int(mean * 255) per channel. */
function meanColour({ mean }: ImageSettings): [number, number, number] {
  return [Math.trunc(mean[0] * 255), Math.trunc(mean[1] * 255), Math.trunc(mean[2] * 255)];
}
