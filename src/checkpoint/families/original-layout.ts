import { z } from 'zod';
import { llamaConfigSchema } from '../llama-config.js';
import type { LlamaNames } from '../llama-weights.js';

/** Names of the language model's tensors in checkpoints that LLaVA's own code and its descendants save. */
export const originalLlamaNames: LlamaNames = { prefix: 'model.', head: 'lm_head.weight' };

/** What the names of a two-layer projector start with there. */
export const originalMlpNames = { first: 'model.mm_projector.0.', second: 'model.mm_projector.2.' } as const;

/** Layer whose hidden state is used unless a config says otherwise: the last but one. */
export const defaultSelectLayer = -2;

/** `config.json` of such checkpoints: Llama fields with those of tower and projector among them. */
export const originalConfigSchema = llamaConfigSchema.extend({
  mm_use_im_start_end: z
    .literal(false, { error: 'image start and end tokens are not supported' })
    .default(false),
  mm_use_im_patch_token: z.literal(false, { error: 'image patch tokens are not supported' }).default(false),
  mm_vision_select_layer: z.int().default(defaultSelectLayer),
  mm_vision_select_feature: z.literal('patch', { error: 'only patch is supported' }).default('patch'),
  mm_vision_tower: z.string(),
  /** LLaVA's own code pads for `pad` and centre-crops for `square`. */
  image_aspect_ratio: z.enum(['pad', 'square'], { error: 'only pad and square are supported' }).nullish(),
});
export type OriginalConfig = z.output<typeof originalConfigSchema>;

/** What the image code does for a config's `image_aspect_ratio`. */
export function imageAspect({ image_aspect_ratio: ratio }: OriginalConfig): 'pad' | 'crop' | undefined {
  if (ratio == null) return undefined;
  return ratio === 'pad' ? 'pad' : 'crop';
}
