import { commonWords, wordParts } from './common-words.js';

/** Marks the start of a word in a vocabulary. */
const wordStart = '▁';

const specialTokens = ['<unk>', '<s>', '</s>'];
const lowerCase = 'etaoinshrdlcumwfgypbvkjxqz';
const characters = [
  ...wordStart,
  ...lowerCase,
  ...lowerCase.toUpperCase(),
  ...'0123456789',
  ...'.,:;!?\'"()[]<>{}-_/\\|@#$%&*+=~^`',
];

/** A byte-fallback BPE as it stands in `tokenizer.json`. */
interface Vocabulary {
  readonly pieces: readonly string[];
  readonly merges: readonly (readonly [string, string])[];
}

/**
 * Files of a byte-fallback BPE in the shape of Llama's, with `size` tokens: ids 0, 1 and 2 are `<unk>`, `<s>` and
 * `</s>`, then come the bytes. Common English words are one token with and without the space before them; other words
 * are cut into pieces of two to four letters, digits stand alone.
 */
export function syntheticTokenizer(size: number): { readonly tokenizer: object; readonly config: object } {
  const { pieces, merges } = buildVocabulary(size);
  const special = specialTokens.map((content, id) => ({
    ...{ id, content, special: true },
    ...{ single_word: false, lstrip: false, rstrip: false, normalized: false },
  }));
  const tokenizer = {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Prepend', prepend: wordStart },
        { type: 'Replace', pattern: { String: ' ' }, content: wordStart },
      ],
    },
    pre_tokenizer: null,
    post_processor: null,
    decoder: {
      type: 'Sequence',
      decoders: [
        { type: 'Replace', pattern: { String: wordStart }, content: ' ' },
        { type: 'ByteFallback' },
        { type: 'Fuse' },
        { type: 'Strip', content: ' ', start: 1, stop: 0 },
      ],
    },
    model: {
      ...{ type: 'BPE', dropout: null, unk_token: '<unk>', fuse_unk: true, byte_fallback: true },
      ...{ continuing_subword_prefix: null, end_of_word_suffix: null },
      vocab: Object.fromEntries(pieces.map((piece, id) => [piece, id])),
      merges: merges.map((pair) => pair.join(' ')),
    },
  };
  const config = {
    ...{ tokenizer_class: 'LlamaTokenizer', add_bos_token: true, add_eos_token: false, legacy: false },
    ...{ bos_token: '<s>', eos_token: '</s>', unk_token: '<unk>', clean_up_tokenization_spaces: false },
  };
  return { tokenizer, config };
}

/**
 * Adds one piece after another until there are `size`: a piece is cut by the merges so far, and its parts are merged
 * from left to right. Later merges rank lower, so an earlier piece stays one token.
 */
function buildVocabulary(size: number): Vocabulary {
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${hex(byte)}>`);
  const pieces = new Set([...specialTokens, ...bytes, ...characters]);
  const ranks = new Map<string, number>();
  const merges: [string, string][] = [];
  for (const piece of wantedPieces()) {
    if (pieces.size >= size) break;
    const parts = cut([...piece], ranks);
    while (parts.length > 1 && pieces.size < size) {
      const [left, right] = [parts.shift()!, parts.shift()!];
      ranks.set(`${left} ${right}`, merges.length);
      merges.push([left, right]);
      pieces.add(left + right);
      parts.unshift(left + right);
    }
  }
  return { pieces: [...pieces], merges };
}

/** Llama's vocabulary has runs of spaces up to this length. */
const longestRun = 16;

/** Words with and without a space before them, parts of words, runs, then pairs and triples of letters. */
function* wantedPieces(): Generator<string> {
  for (const start of [wordStart, '']) {
    for (const word of commonWords) yield start + word;
    for (const word of commonWords) yield start + word[0]!.toUpperCase() + word.slice(1);
  }
  for (const ending of ['s', 'ed', 'ing', 'er', 'ly']) {
    for (const word of commonWords) yield wordStart + word + ending;
  }
  for (const part of wordParts) yield part;
  for (const part of wordParts) yield wordStart + part;
  for (const mark of [wordStart, '-', '=', '#', '*', '.']) {
    for (let length = 2; length <= longestRun; length++) yield mark.repeat(length);
  }
  for (const start of ['', wordStart]) {
    for (const a of lowerCase) for (const b of lowerCase) yield start + a + b;
  }
  for (const start of ['', wordStart]) {
    for (const a of lowerCase) for (const b of lowerCase) for (const c of lowerCase) yield start + a + b + c;
  }
}

/** Parts of a piece after all merges that apply, the highest ranking first. */
function cut(parts: string[], ranks: ReadonlyMap<string, number>): string[] {
  for (;;) {
    let best = Number.POSITIVE_INFINITY;
    let at = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const rank = ranks.get(`${parts[i]} ${parts[i + 1]}`) ?? Number.POSITIVE_INFINITY;
      if (rank < best) [best, at] = [rank, i];
    }
    if (at === -1) return parts;
    parts.splice(at, 2, parts[at]! + parts[at + 1]!);
  }
}

function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0');
}
