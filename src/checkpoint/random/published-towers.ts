import { clipShape, clipVisionConfigSchema } from '../towers/clip-config.js';
import { internVitConfigSchema, internVitShape } from '../towers/internvit-config.js';

/** Edge of the images of all published models, in pixels. */
export const publishedImageSize = 336;

/** CLIP ViT-L/14, last layer but one. */
export const clipLarge = clipShape(
  clipVisionConfigSchema.parse({
    hidden_size: 1024,
    intermediate_size: 4096,
    num_hidden_layers: 24,
    num_attention_heads: 16,
    image_size: publishedImageSize,
    patch_size: 14,
  }),
  -2,
);

/** InternViT-6B, whose defaults are its sizes, up to the layer that InternVL-Chat uses. */
export const internVit6b = internVitShape(internVitConfigSchema.parse({ model_type: 'intern_vit_6b' }), {
  selectLayer: -4,
  imageSize: publishedImageSize,
});
