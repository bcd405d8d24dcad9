import { z } from 'zod';

const tokenId = z.int().nonnegative();
const endTokens = z.union([tokenId, z.array(tokenId).min(1)]);

/** Token numbers of `generation_config.json`; they win over those of `config.json`. */
export const generationConfigSchema = z.object({
  bos_token_id: tokenId.nullish(),
  eos_token_id: endTokens.nullish(),
});

/** The part of `tokenizer_config.json` that decides whether BOS is added. */
export const tokenizerConfigSchema = z
  .object({
    add_bos_token: z.boolean().nullish(),
    add_eos_token: z.literal(false, { error: 'is not supported' }).nullish(),
    tokenizer_class: z.string().nullish(),
  })
  .refine((config) => addsBos(config) !== undefined, {
    path: ['add_bos_token'],
    error: 'is missing and cannot be told from tokenizer_class: say true or false',
  });

/** Whether the tokenizer starts every text with BOS; transformers' Llama tokenizers do unless told otherwise. */
export function addsBos(config: {
  add_bos_token?: boolean | null | undefined;
  tokenizer_class?: string | null | undefined;
}): boolean | undefined {
  return config.add_bos_token ?? (config.tokenizer_class?.startsWith('LlamaTokenizer') ? true : undefined);
}

/** `prompt.json`, which a checkpoint brings when no published template fits it. */
export const promptFileSchema = z
  .object({
    before_question: z.string(),
    after_question: z.string(),
    stop_token: z.string().min(1).optional(),
    add_special_tokens: z.boolean().default(true),
    bos_in_template: z.boolean().default(false),
    image_placeholder: z.literal('<image>', { error: 'must be <image>' }).default('<image>'),
    image_separator: z.literal('', { error: 'must be empty' }).default(''),
  })
  .transform((file) => ({
    before: file.before_question,
    after: file.after_question,
    stopStrings: file.stop_token === undefined ? [] : [file.stop_token],
    /** Whether BOS may still be added in front of each chunk. */
    allowsBos: file.add_special_tokens && !file.bos_in_template,
  }));
export type PromptFile = z.output<typeof promptFileSchema>;
