import { join } from 'node:path';
import { TextDecoder } from 'node:util';
import { Tokenizer } from '@huggingface/tokenizers';
import { z } from 'zod';
import { messageOf, UserError } from '../core/errors.js';
import { readJsonFile } from '../core/json-file.js';
import { encodeWithWordMarks, wordMarksSchema } from './word-marks.js';

/** Text to token ids and back. */
export interface TextTokenizer {
  /**
   * Ids of `text`; special tokens written in the text are recognised, none is added around it. Half a surrogate pair
   * counts as U+FFFD.
   */
  readonly encode: (text: string) => number[];
  /** Text of `ids`; ids beyond the vocabulary are left out. */
  readonly decode: (ids: readonly number[], options: DecodeOptions) => string;
}

export interface DecodeOptions {
  readonly skipSpecialTokens: boolean;
}

/** Names of the tokenizer's files inside a bundle directory. */
export const tokenizerFileNames = ['tokenizer.json', 'tokenizer_config.json'] as const;

/** What is used of the library; its own declarations do not resolve under Node's module rules. */
interface LibraryTokenizer {
  readonly decoder: LibraryDecoder | null;
  readonly encode: (text: string, options: { add_special_tokens: boolean }) => { ids: number[] };
  readonly decode: (
    ids: number[],
    options: { skip_special_tokens: boolean; clean_up_tokenization_spaces: boolean },
  ) => string;
  readonly id_to_token: (id: number) => string | undefined;
}

/** A decoding step; sequences hold others, byte fallback holds a text decoder. */
interface LibraryDecoder {
  readonly decoders?: readonly LibraryDecoder[];
  text_decoder?: TextDecoder;
}

const fix = 'use the tokenizer files of the checkpoint, unmodified, and convert again';

const tokenizerSchema = z.looseObject({
  model: z.looseObject({}),
  added_tokens: z.array(z.looseObject({ id: z.int().nonnegative(), content: z.string() })),
  word_marks: wordMarksSchema.optional(),
});

/** Llama's tokenizers leave spaces before punctuation alone unless told otherwise, all others take them away. */
const tokenizerConfigSchema = z
  .looseObject({ tokenizer_class: z.string().nullish(), clean_up_tokenization_spaces: z.boolean().nullish() })
  .transform((config) => ({
    ...config,
    cleansUp: config.clean_up_tokenization_spaces ?? !config.tokenizer_class?.startsWith('LlamaTokenizer'),
  }));

/**
 * Opens `tokenizer.json` and `tokenizer_config.json` of a directory.
 *
 * Ill-formed UTF-8 from byte tokens decodes to U+FFFD for each maximal ill-formed part, as Python's
 * `errors='replace'`. Throws `UserError` when a file is missing, malformed or of an unknown kind.
 */
export async function openTokenizer(directory: string): Promise<TextTokenizer> {
  const [tokenizerPath, configPath] = tokenizerFileNames.map((name) => join(directory, name));
  const definition = await readJsonFile(tokenizerPath!, tokenizerSchema, fix);
  const config = await readJsonFile(configPath!, tokenizerConfigSchema, fix);
  let tokenizer: LibraryTokenizer;
  try {
    tokenizer = new Tokenizer(definition, config);
  } catch (error) {
    throw new UserError(
      { what: `cannot be used as a tokenizer (${messageOf(error)})`, where: tokenizerPath!, fix },
      { cause: error },
    );
  }
  keepByteOrderMarks(tokenizer.decoder);
  const encode = (text: string): number[] => tokenizer.encode(text, { add_special_tokens: false }).ids;
  const encodeMarked =
    definition.word_marks === undefined ? encode : encodeWithWordMarks(encode, definition.word_marks);
  const options = { clean_up_tokenization_spaces: config.cleansUp };
  return {
    encode: rememberShort((text) => encodeMarked(text.replace(loneSurrogate, '\ufffd'))),
    decode: (ids, { skipSpecialTokens }) => {
      const known = ids.filter((id) => tokenizer.id_to_token(id) !== undefined);
      if (known.length === 0) return '';
      return tokenizer.decode(known, { skip_special_tokens: skipSpecialTokens, ...options });
    },
  };
}

const loneSurrogate = /\p{Surrogate}/gu;

/** Instructions and the words between images repeat from sample to sample; longer texts hardly do. */
const shortText = 256;
const rememberedTexts = 4096;

function rememberShort(encode: (text: string) => number[]): (text: string) => number[] {
  const known = new Map<string, readonly number[]>();
  return (text) => {
    if (text.length > shortText) return encode(text);
    const ids = known.get(text) ?? encode(text);
    if (known.size < rememberedTexts) known.set(text, ids);
    return [...ids];
  };
}

/** The library's byte fallback swallows U+FEFF at the start of every run of byte tokens; the reference keeps it. */
function keepByteOrderMarks(decoder: LibraryDecoder | null): void {
  if (decoder === null) return;
  decoder.decoders?.forEach(keepByteOrderMarks);
  if (decoder.text_decoder !== undefined)
    decoder.text_decoder = new TextDecoder('utf-8', { ignoreBOM: true });
}
