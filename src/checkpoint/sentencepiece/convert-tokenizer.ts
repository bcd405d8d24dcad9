import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import { readCheckpointJson } from '../checkpoint-json.js';
import { presentFiles, type SourceFile } from '../source-files.js';
import {
  addedTokensDecoderSchema,
  addedTokensOf,
  addedTokensSchema,
  type ListedToken,
  specialTokensSchema,
} from './added-tokens.js';
import { llamaTokenizerJson } from './llama-tokenizer-json.js';
import {
  maxSentencePieceBytes,
  parseSentencePieceModel,
  type SentencePiece,
  sentencePieceFix,
} from './parse-model.js';

/** Name of a SentencePiece model in a checkpoint. */
export const sentencePieceName = 'tokenizer.model';

const supported = 'only what LlamaTokenizer of transformers does by default can be converted';

const flag = (value: boolean) =>
  z
    .boolean()
    .nullish()
    .transform((given) => given ?? value);
const only = <T extends boolean>(value: T) =>
  z
    .literal(value, { error: `must be ${value}` })
    .nullish()
    .transform(() => value);

/** What matters of `tokenizer_config.json`, with the defaults of transformers' `LlamaTokenizer`. */
const configSchema = z.object({
  add_bos_token: flag(true),
  add_eos_token: only(false),
  add_prefix_space: only(true),
  added_tokens_decoder: addedTokensDecoderSchema.nullish(),
  clean_up_tokenization_spaces: flag(false),
  legacy: flag(true),
  sp_model_kwargs: z.strictObject({}).nullish(),
  tokenizer_class: z
    .string()
    .startsWith('LlamaTokenizer', { error: 'must be LlamaTokenizer' })
    .nullish()
    .transform(() => 'LlamaTokenizer'),
});
type LlamaTokenizerConfig = Omit<z.output<typeof configSchema>, 'added_tokens_decoder' | 'sp_model_kwargs'>;

/** `tokenizer_config.json` for a checkpoint that has none. */
export const defaultTokenizerConfig: LlamaTokenizerConfig = withoutTokens(configSchema.parse({}));

/** A SentencePiece tokenizer in the form of a `tokenizer.json`. */
export interface ConvertedTokenizer {
  /** Content of `tokenizer.json`. */
  readonly definition: object;
  /** Content of `tokenizer_config.json`. */
  readonly config: LlamaTokenizerConfig;
  /** Every file it was read from. */
  readonly sourceFiles: readonly SourceFile[];
}

/**
 * Converts the `tokenizer.model` of a checkpoint with the tokens that its `added_tokens.json`, `tokenizer_config.json`
 * and `special_tokens_map.json` name, as far as they are there.
 *
 * @param vocabSize rows of the model's embedding table
 * @throws UserError naming file and field for whatever is damaged or not supported
 */
export async function convertSentencePiece(dir: string, vocabSize: number): Promise<ConvertedTokenizer> {
  const path = join(dir, sentencePieceName);
  const pieces = await readPieces(path, vocabSize);
  const [configFile] = await presentFiles(dir, ['tokenizer_config.json']);
  const [mapFile] = await presentFiles(dir, ['special_tokens_map.json']);
  const [addedFile] = await presentFiles(dir, ['added_tokens.json']);

  const config = configFile
    ? await readCheckpointJson(configFile.path, configSchema, supported)
    : configSchema.parse({});
  const listed = new Map<string, readonly ListedToken[]>();
  if (addedFile) listed.set(addedFile.path, await readCheckpointJson(addedFile.path, addedTokensSchema));
  if (configFile) listed.set(configFile.path, config.added_tokens_decoder ?? []);
  const special: string[] = [];
  for (const file of [configFile, mapFile]) {
    if (file) special.push(...(await readCheckpointJson(file.path, specialTokensSchema, supported)));
  }
  const added = addedTokensOf(pieces, listed, special);
  const others = [configFile, mapFile, addedFile].filter((file) => file !== undefined);
  return {
    definition: llamaTokenizerJson(pieces, added, { legacy: config.legacy, path }),
    config: withoutTokens(config),
    sourceFiles: [{ path, name: sentencePieceName }, ...others],
  };
}

function withoutTokens({
  added_tokens_decoder: _tokens,
  sp_model_kwargs: _nothing,
  ...config
}: z.output<typeof configSchema>): LlamaTokenizerConfig {
  return config;
}

async function readPieces(path: string, vocabSize: number): Promise<readonly SentencePiece[]> {
  const { size } = await stat(path);
  if (size > maxSentencePieceBytes) {
    const what = `has ${size} bytes, more than ${maxSentencePieceBytes}`;
    throw new UserError({ where: path, what, fix: sentencePieceFix });
  }
  const pieces = parseSentencePieceModel(await readFile(path), path);
  if (pieces.length > vocabSize) {
    const what = `holds ${pieces.length} pieces, but the model has a vocabulary of ${vocabSize}`;
    throw new UserError({ where: path, what, fix: 'use the tokenizer of the same checkpoint' });
  }
  return pieces;
}
