/** A sequence of tokens that can lose its head: `slice` as arrays and typed arrays have it. */
export interface TokenSequence<Tokens> {
  readonly length: number;
  slice(start: number): Tokens;
}

/** Tokenisation without special tokens. */
export interface PromptTokenizer<Tokens extends TokenSequence<Tokens>> {
  encode(text: string): Tokens;
  decode(tokens: Tokens): string;
}

export interface KeptContext {
  /** What is left of the fragments, in order, decoded. An image stands between two neighbours. */
  readonly fragments: readonly string[];
  /** The images that still have room, in order. */
  readonly images: readonly string[];
  /** Whether the first image stands before the first fragment. */
  readonly opensWithImage: boolean;
}

/**
 * Keeps the end of a context: from the last fragment to the first, each followed (leftwards) by the last image not yet
 * used, as long as `budget` tokens allow. Only the last fragment is ever cut; it keeps its end.
 * `tokensPerImage` null leaves images out of the count and of the result.
 *
 * Source: MileBench `utils.py`, `__getitem__`, with its edges: a `budget` of 0 keeps the whole last fragment (Python's
 * `[-0:]`), a negative one drops that many tokens of its head; an image without room ends the walk before the next
 * fragment; when a fragment has no room, the image to its right stays.
 */
export function keepContextEnd<Tokens extends TokenSequence<Tokens>>({
  fragments,
  images,
  budget,
  tokensPerImage,
  tokenizer,
}: {
  readonly fragments: readonly string[];
  readonly images: readonly string[];
  readonly budget: number;
  readonly tokensPerImage: number | null;
  readonly tokenizer: PromptTokenizer<Tokens>;
}): KeptContext {
  const keptFromRight: Tokens[] = [];
  let firstImage = images.length;
  let opensWithImage = false;
  let used = 0;
  for (let i = fragments.length - 1; i >= 0; i--) {
    const tokens = tokenizer.encode(fragments[i]!);
    if (used + tokens.length > budget) {
      if (keptFromRight.length === 0) keptFromRight.push(tokens.slice(-budget));
      break;
    }
    keptFromRight.push(tokens);
    used += tokens.length;
    opensWithImage = false;
    if (tokensPerImage === null) continue;
    if (used + tokensPerImage > budget) break;
    if (firstImage > 0) {
      firstImage--;
      opensWithImage = true;
      used += tokensPerImage;
    }
  }
  return {
    fragments: keptFromRight.reverse().map((tokens) => tokenizer.decode(tokens)),
    images: tokensPerImage === null ? [] : images.slice(firstImage),
    opensWithImage,
  };
}
