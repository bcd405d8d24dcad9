import { seededRandom } from '../../src/core/seeded-random.js';

const sequences = [
  ['👩‍👩‍👧', '🏳️‍🌈', '👍🏽', '🇫🇷', '😀', '\u200d', '\ufe0f'],
  ['e\u0301', 'n\u0303', '\u0301\u0301', 'ü', 'ﬁ', 'İ', 'ß', '①', 'Å'],
  ['مرحبا', 'שלום', '\u202e', '\u200f', 'سؤال', ' ؟'],
  ['漢字', '书生·浦语', 'カタカナ', '한국어', '。', '「', '\u3000', '𠮷'],
  ['\n', '\n\n', '\t', '\r\n', '\u00a0', '\u0085', '\u2028', '\ufeff', '\u200b'],
  ['\u0000', '\u0007', '\u001b[0m', '\u007f', '\uffff', '\u{10ffff}', '\ufffd'],
  ['0', '1', '2024', '3.14159', '1,000,000', '½', '٣', '-7e+10', '0x1F'],
  [
    '[INST]',
    '<<SYS>>',
    '<|im_end|>',
    '<0x0A>',
    '<S>',
    '< s>',
    '<s >',
    '</',
    '<unk',
    's>',
    '<pad>',
    '▁',
    '▁▁',
  ],
  [
    'the',
    ' assistant',
    'ing',
    'tion',
    'antidisestablishmentarianism',
    'Donaudampfschifffahrt',
    'aaaa',
    'ababab',
  ],
  ['-', '=', '.', '#', '_', '/', '*', '~', '"', "'", '----', '....', '====', '://', '\\'],
  [' ', '  ', '   ', '        ', ' '.repeat(16), ' '.repeat(17)],
] as const;

const ranges = [
  [0x20, 0x7e],
  [0xa0, 0x24f],
  [0x300, 0x36f],
  [0x370, 0x6ff],
  [0x900, 0x11ff],
  [0x2000, 0x2bff],
  [0x3040, 0x9fff],
  [0xac00, 0xd7a3],
  [0x1f300, 0x1faff],
  [0x20000, 0x2a6df],
] as const;

/**
 * Texts that tokenizers disagree about: every kind of character, runs of one thing, words cut and glued together, and
 * mixtures of all that. Special tokens themselves do not occur.
 *
 * @param words pieces of a vocabulary, with spaces as spaces
 */
export function oddTexts(count: number, words: readonly string[], seed = 1): string[] {
  const random = seededRandom(seed);
  const below = (n: number): number => Math.floor(random() * n);
  const one = <T>(items: readonly T[]): T => items[below(items.length)]!;
  const times = (most: number, make: () => string): string =>
    Array.from({ length: 1 + below(most) }, make).join('');
  const character = (): string => {
    const [from, to] = one(ranges);
    return String.fromCodePoint(from + below(to - from + 1));
  };
  const makers = [
    () => times(10, () => one(words)),
    () => times(12, character),
    () => times(8, () => one(one(sequences))),
    () => one(one(sequences)).repeat(1 + below(30)),
    () => {
      const few = [one(one(sequences)), one(words), character()];
      return times(25, () => one(few));
    },
    () => times(6, () => one(words).slice(below(3)) + one(words).slice(0, 1 + below(4))),
    () => times(5, () => one([...one(sequences), one(words), character(), ' '.repeat(below(20))])),
  ];
  return Array.from({ length: count }, (_, index) => makers[index % makers.length]!()).map(
    withoutSpecialTokens,
  );
}

/** Gluing can make a special token, or join or cut surrogate pairs. */
function withoutSpecialTokens(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '?').replace(/<(?=\/?s>|unk>)/g, '(');
}
