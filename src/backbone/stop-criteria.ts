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
export function createStopCheck(options: StopOptions): StopCheck {
  const { stopStrings, tokenizer, tokens } = options;
  const stopsText = textCheck(options);
  const keywords = stopStrings.map((text) => keywordIds(text, tokenizer, tokens));
  const longest = Math.max(0, ...keywords.map((ids) => ids.length));
  return (generated) => {
    if (tokens.eos !== null && generated.at(-1) === tokens.eos) return 'eos';
    if (longest === 0 || generated.length === 0) return null;
    if (keywords.some((ids) => endsWith(generated, ids))) return 'stop-string';
    return stopsText(generated.slice(-longest)) ? 'stop-string' : null;
  };
}

/** Windows of ids remembered at most: where one id is looked at, that is the vocabulary that occurs. */
const rememberedWindows = 65_536;

/** Whether the text of some ids contains a stop string. Decoding costs as much as a small model's step: remembered. */
function textCheck({ stopStrings, tokenizer }: StopOptions): (ids: readonly number[]) => boolean {
  const known = new Map<string, boolean>();
  return (ids) => {
    const key = ids.join();
    const before = known.get(key);
    if (before !== undefined) return before;
    const text = tokenizer.decode(ids, { skipSpecialTokens: true });
    const stops = stopStrings.some((stop) => text.includes(stop));
    if (known.size < rememberedWindows) known.set(key, stops);
    return stops;
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
