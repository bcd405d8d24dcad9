import { z } from 'zod';

const ids = z.array(z.int());
const count = z.int().nonnegative();

/** What every `golden.json` of a backbone says; which of the layouts it is follows from the other fields. */
export const goldenFamilySchema = z.looseObject({ family: z.string() });

/** `golden.json` of a checkpoint with its own activations. */
export const goldenSchema = z.looseObject({
  family: z.string(),
  images: z.array(z.string()).min(1),
  tokens_per_image: count,
  prompt_template: z.string(),
  question: z.string(),
  prompt: z.string(),
  input_ids: ids,
  stop_strings: z.array(z.string()),
  sequence_length: count,
  image_spans: z.array(z.tuple([count, count])),
  new_tokens: z.int().positive(),
  full_cache_tokens: ids,
  full_cache_text: z.string(),
});
export type Golden = z.infer<typeof goldenSchema>;

/** `golden.json` of a checkpoint that holds the weights of another one in the Hugging Face layout. */
export const goldenHfSchema = z.looseObject({
  family: z.string(),
  same_weights_as: z.string(),
  image_token_index: z.int(),
  images: z.array(z.string()).min(1),
  tokens_per_image: count,
  same_prompt_as_llava: z.looseObject({ input_ids: ids, tokens: ids }),
  hf_prompt: z.looseObject({
    prompt: z.string(),
    image: z.string(),
    input_ids_unexpanded: ids,
    tokens: ids,
  }),
});
export type GoldenHf = z.infer<typeof goldenHfSchema>;

const runSchema = z.looseObject({
  kv_mode: z.string(),
  hh_ratio: z.number(),
  recent_ratio: z.number(),
  cache_len: z.array(count),
  cache_len_end: z.array(count).optional(),
  tokens: ids,
});
const textOnlyRunSchema = runSchema.partial({ kv_mode: true });

/** `golden_lookm.json`: generation under every cache mode of the published code. */
export const goldenModesSchema = z.looseObject({
  runs: z.record(z.string(), runSchema),
  /** The same on a prompt without images; keys are modes. */
  text_only: z.looseObject({ input_ids: ids, runs: z.record(z.string(), textOnlyRunSchema) }).optional(),
});
export type GoldenModes = z.infer<typeof goldenModesSchema>;
