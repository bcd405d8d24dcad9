import type { BundleManifest } from './bundle-manifest.js';
import type { TextTokenizer } from './tokenizer.js';

/** Why generation ends. */
export type StopReason = 'eos' | 'stop-string';

/** Says after each token whether generation ends; `generated` holds all answer ids so far, the newest last. */
export type StopCheck = (generated: readonly number[]) => StopReason | null;

export interface StopOptions {
  readonly stopStrings: readonly string[];
  readonly tokenizer: TextTokenizer;
  /** `eos: null` lets generation run past the end token, for comparisons of fixed length. */
  readonly tokens: { readonly eos: number | null } & Pick<BundleManifest['tokens'], 'bos' | 'addBos'>;
}

/**
 * Ends generation at EOS, when the newest ids are the ids of a stop string, or when the text of the newest k ids,
 * special tokens left out, contains a stop string; k is the largest number of ids of any stop string.
 *
 * Reference: LLaVA mm_utils.py, `KeywordsStoppingCriteria`, with an empty prompt (generation from embeddings).
 */
export function createStopCheck({ stopStrings, tokenizer, tokens }: StopOptions): StopCheck {
  const keywords = stopStrings.map((text) => keywordIds(text, tokenizer, tokens));
  const longest = Math.max(0, ...keywords.map((ids) => ids.length));
  return (generated) => {
    if (tokens.eos !== null && generated.at(-1) === tokens.eos) return 'eos';
    if (longest === 0 || generated.length === 0) return null;
    if (keywords.some((ids) => endsWith(generated, ids))) return 'stop-string';
    const text = tokenizer.decode(generated.slice(-longest), { skipSpecialTokens: true });
    return stopStrings.some((stop) => text.includes(stop)) ? 'stop-string' : null;
  };
}

/** Ids of a stop string as the tokenizer gives them with BOS, the leading BOS then removed unless it stands alone. */
function keywordIds(text: string, tokenizer: TextTokenizer, tokens: StopOptions['tokens']): number[] {
  const ids = tokenizer.encode(text);
  if (tokens.addBos) ids.unshift(tokens.bos);
  return ids.length > 1 && ids[0] === tokens.bos ? ids.slice(1) : ids;
}

function endsWith(ids: readonly number[], ending: readonly number[]): boolean {
  const offset = ids.length - ending.length;
  return offset >= 0 && ending.every((id, index) => ids[offset + index] === id);
}
