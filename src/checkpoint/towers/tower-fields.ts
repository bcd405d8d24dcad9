import { z } from 'zod';

/** Well above the largest published towers; bounds what a damaged config can make us allocate. */
const maxWidth = 1 << 16;
const maxImageSize = 1 << 13;
const maxLayers = 1024;

/** Kinds of fields that configs of vision transformers share. */
export const towerFields = {
  width: z.int().positive().max(maxWidth),
  layers: z.int().positive().max(maxLayers),
  pixels: z.int().positive().max(maxImageSize),
  channels: z.literal(3, { error: 'only RGB images are supported' }).default(3),
} as const;
