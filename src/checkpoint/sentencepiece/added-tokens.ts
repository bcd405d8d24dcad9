import { z } from 'zod';
import { UserError } from '../../core/errors.js';
import type { SentencePiece } from './parse-model.js';

/** A token found in the text itself, as `tokenizer.json` lists it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  readonly single_word: false;
  readonly lstrip: false;
  readonly rstrip: false;
  /** Found before anything in the text is changed. */
  readonly normalized: false;
  /** Left out where a text is wanted without special tokens. */
  readonly special: boolean;
}

const off = z.literal(false, { error: 'is not supported' }).optional();
const flags = { lstrip: off, rstrip: off, single_word: off };

/** A token named by its text, or an object around it; the empty text names none. */
const specialToken = z.preprocess(
  (token) => (typeof token === 'string' ? { content: token } : token),
  z.object({ content: z.string(), ...flags }).nullish(),
);

/** The tokens that `tokenizer_config.json` and `special_tokens_map.json` name as special. */
export const specialTokensSchema = z
  .object({
    bos_token: specialToken,
    eos_token: specialToken,
    unk_token: specialToken,
    pad_token: specialToken,
    additional_special_tokens: z.array(specialToken).nullish(),
  })
  .transform(({ additional_special_tokens: others, ...named }) => [
    ...new Set([...Object.values(named), ...(others ?? [])].flatMap((token) => token?.content || [])),
  ]);

const tokenId = z.int().nonnegative();

/** `added_tokens.json`: ids by text. */
export const addedTokensSchema = z
  .record(z.string().min(1), tokenId)
  .transform((ids): ListedToken[] => Object.entries(ids).map(([content, id]) => ({ id, content })));

/** `added_tokens_decoder` of `tokenizer_config.json`: tokens by id. */
export const addedTokensDecoderSchema = z
  .record(
    z.string().regex(/^\d+$/),
    z.object({ content: z.string().min(1), special: z.boolean().optional(), ...flags }),
  )
  .transform((tokens): ListedToken[] =>
    Object.entries(tokens).map(([id, { content, special }]) => ({ id: Number(id), content, special })),
  );

/** A token that a file of the checkpoint adds to the pieces. */
export interface ListedToken {
  readonly id: number;
  readonly content: string;
  readonly special?: boolean | undefined;
}

/** The added tokens of a tokenizer. */
export interface AddedTokens {
  /** In order of their ids. */
  readonly tokens: readonly AddedToken[];
  /** Contents of those that end one stretch of text and begin another, as user-defined pieces do not. */
  readonly between: readonly string[];
}

/**
 * The added tokens of a SentencePiece tokenizer: its unknown, control and user-defined pieces, the tokens that files
 * list, and every piece that is named as special. A name without an id adds nothing.
 *
 * @param listed tokens by the path of the file that lists them
 * @throws UserError naming the file of a token whose id is another token's, or that has another id too
 */
export function addedTokensOf(
  pieces: readonly SentencePiece[],
  listed: ReadonlyMap<string, readonly ListedToken[]>,
  special: readonly string[],
): AddedTokens {
  const ids = new Map(pieces.map(({ text }, id) => [text, id]));
  const texts = pieces.map(({ text }) => text);
  const added = new Map<number, AddedToken>();
  const between = new Set<string>();
  const add = (id: number, content: string, isSpecial: boolean): void => {
    const unchanged = { single_word: false, lstrip: false, rstrip: false, normalized: false } as const;
    added.set(id, { id, content, ...unchanged, special: isSpecial });
  };
  for (const [id, { text, type }] of pieces.entries()) {
    if (type === 'user-defined') add(id, text, false);
    if (type !== 'unknown' && type !== 'control') continue;
    add(id, text, true);
    between.add(text);
  }
  for (const [path, tokens] of listed) {
    for (const { id, content, special: isSpecial = false } of tokens) {
      const what = conflict(id, content, texts[id] ?? content, ids.get(content) ?? id);
      if (what !== undefined) {
        throw new UserError({ where: path, what, fix: 'use a complete, unmodified checkpoint' });
      }
      texts[id] = content;
      ids.set(content, id);
      add(id, content, isSpecial || (added.get(id)?.special ?? false));
      between.add(content);
    }
  }
  for (const content of special) {
    const id = ids.get(content);
    if (id === undefined) continue;
    add(id, content, true);
    between.add(content);
  }
  return { tokens: [...added.values()].sort((a, b) => a.id - b.id), between: [...between] };
}

function conflict(id: number, content: string, holder: string, known: number): string | undefined {
  const token = `token ${id}, ${JSON.stringify(content)}`;
  if (holder !== content) return `${token}, is ${JSON.stringify(holder)} elsewhere`;
  return known === id ? undefined : `${token}, has the id ${known} too`;
}
