import { z } from 'zod';

/** How pixels become numbers, after the image has been made square. */
export interface ImageProcessing {
  readonly size: number;
  readonly mean: [number, number, number];
  readonly std: [number, number, number];
  readonly rescaleFactor: number;
}

/** PIL's number for bicubic resampling, the only one used with CLIP. */
const bicubic = 3;

const edge = z.int().positive();
const square = z
  .object({ height: edge, width: edge })
  .refine(({ height, width }) => height === width, { error: 'only square images are supported' })
  .transform(({ height }) => height);
const shortestEdge = z.object({ shortest_edge: edge }).transform((size) => size.shortest_edge);
const notASize = 'must be a number of pixels, {shortest_edge} or {height, width} of a square';
const channels = z.tuple([z.number(), z.number(), z.number()]);
const spread = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]);
const on = z.literal(true, { error: 'this step cannot be turned off' }).default(true);

/**
 * `preprocessor_config.json` of a CLIP image processor: sizes as plain numbers (old) or objects (new).
 * What the file leaves out has the value of transformers' `CLIPImageProcessor`.
 */
export const imageProcessorConfigSchema = z
  .object({
    size: z.union([edge, shortestEdge, square], { error: notASize }).default(224),
    crop_size: z.union([edge, square], { error: notASize }).default(224),
    image_mean: channels.default([0.48145466, 0.4578275, 0.40821073]),
    image_std: spread.default([0.26862954, 0.26130258, 0.27577711]),
    rescale_factor: z
      .number()
      .positive()
      .default(1 / 255),
    resample: z.literal(bicubic, { error: 'only bicubic resampling (3) is supported' }).default(bicubic),
    do_resize: on,
    do_center_crop: on,
    do_rescale: on,
    do_normalize: on,
  })
  .refine((config) => config.size === config.crop_size, {
    path: ['crop_size'],
    error: 'must be equal to the shortest edge in size',
  })
  .transform(
    (config): ImageProcessing => ({
      size: config.size,
      mean: config.image_mean,
      std: config.image_std,
      rescaleFactor: config.rescale_factor,
    }),
  );
