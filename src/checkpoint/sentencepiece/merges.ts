import { UserError } from '../../core/errors.js';
import { type SentencePiece, sentencePieceFix } from './parse-model.js';

/** Two neighbouring parts that become one piece. */
export type Merge = readonly [left: string, right: string];

interface ScoredMerge {
  readonly merge: Merge;
  readonly text: string;
  readonly score: number;
}

/**
 * The merges of a SentencePiece BPE vocabulary, the first to be applied first: every way to put a normal piece
 * together from two others, by falling score of the piece.
 *
 * SentencePiece joins, of all neighbours that make a piece, those whose piece has the highest score, the leftmost of
 * equals. A list of merges gives the same where scores differ: a piece is then made of the same two parts wherever it
 * is made. Among pieces of one score the place in the text decides, which a list cannot say. Runs of one character,
 * as Llama's 2 to 16 spaces, are the exception: they grow from the left, so longer left parts come first.
 *
 * Source: google/sentencepiece, bpe_model.cc, `Model::SampleEncode`.
 *
 * @param path of the model, named in errors
 * @throws UserError when a list of merges would not tokenise as the model does
 */
export function mergesOf(pieces: readonly SentencePiece[], path: string): readonly Merge[] {
  const normal = new Set(pieces.filter(({ type }) => type === 'normal').map(({ text }) => text));
  const merges = pieces.flatMap(({ text, score, type }, id): ScoredMerge[] => {
    if (type !== 'normal') return [];
    const characters = Array.from(text);
    if (characters.length === 1) return [];
    const missing = characters.find((character) => !normal.has(character));
    if (missing !== undefined) {
      const what = `pieces[${id}].piece holds ${JSON.stringify(missing)}, which is not a normal piece itself`;
      throw new UserError({ where: path, what, fix: sentencePieceFix });
    }
    return splits(characters)
      .filter(([left, right]) => normal.has(left) && normal.has(right))
      .map((merge) => ({ merge, text, score }));
  });
  const tie = undecidedTie(merges);
  if (tie !== undefined) {
    const [one, other] = tie.map((text) => JSON.stringify(text));
    const what = `pieces ${one} and ${other} have the same score, so neither comes first`;
    throw new UserError({ where: path, what, fix: sentencePieceFix });
  }
  merges.sort((a, b) => b.score - a.score || b.merge[0].length - a.merge[0].length);
  return merges.map(({ merge }) => merge);
}

function splits(characters: readonly string[]): Merge[] {
  return characters
    .slice(1)
    .map((_, index) => [characters.slice(0, index + 1).join(''), characters.slice(index + 1).join('')]);
}

/** Two pieces of one score whose merges a list cannot put in order. */
function undecidedTie(merges: readonly ScoredMerge[]): readonly [string, string] | undefined {
  const ofScore = new Map<number, Set<string>>();
  for (const { text, score } of merges) {
    const texts = ofScore.get(score);
    if (texts === undefined) ofScore.set(score, new Set([text]));
    else texts.add(text);
  }
  for (const texts of ofScore.values()) {
    const [one, other] = texts;
    if (one !== undefined && other !== undefined && !(areRuns(texts) && standAlone(texts, merges))) {
      return [one, other];
    }
  }
  return undefined;
}

/** Whether the texts are 2, 3, 4, … of one character, none left out. */
function areRuns(texts: ReadonlySet<string>): boolean {
  const [first = ''] = texts;
  const [character = ''] = first;
  return [...texts.keys()].every((_, index) => texts.has(character.repeat(index + 2)));
}

/** Whether no other piece is made of the texts. */
function standAlone(texts: ReadonlySet<string>, merges: readonly ScoredMerge[]): boolean {
  return merges.every(({ merge, text }) => texts.has(text) || !merge.some((part) => texts.has(part)));
}
