import { UserError } from '../core/errors.js';
import { splitWords } from '../core/python-text.js';
import type { AnswerScore, ScoreInput } from './metric.js';
import { normaliseAnswer } from './normalise-answer.js';

export interface RougeLScore {
  readonly recall: number;
  readonly precision: number;
  readonly fMeasure: number;
}

/**
 * The sentences of a text as words: split on every period, also inside `3.5`. Text between two periods that is only
 * white space is a sentence of one empty word; between neighbouring periods there is none.
 */
function sentencesOf(text: string): string[][] {
  return text
    .split('.')
    .filter((sentence) => sentence.length > 0)
    .map((sentence) => splitWords(sentence).join(' ').split(' '));
}

/**
 * Adds the words of a longest common subsequence of two sentences to `union`.
 * Ties go back along the hypothesis first, as in the `rouge` package: they decide which words are found.
 */
function addCommonWords(
  reference: readonly string[],
  hypothesis: readonly string[],
  union: Set<string>,
): void {
  const rows = reference.length;
  const columns = hypothesis.length;
  const width = columns + 1;
  const lengths = new Int32Array((rows + 1) * width);
  for (let i = 1; i <= rows; i++) {
    for (let j = 1; j <= columns; j++) {
      lengths[i * width + j] =
        reference[i - 1] === hypothesis[j - 1]
          ? lengths[(i - 1) * width + j - 1]! + 1
          : Math.max(lengths[(i - 1) * width + j]!, lengths[i * width + j - 1]!);
    }
  }
  let i = rows;
  let j = columns;
  while (i > 0 && j > 0) {
    const word = reference[i - 1]!;
    if (word === hypothesis[j - 1]) {
      union.add(word);
      i--;
      j--;
    } else if (lengths[(i - 1) * width + j]! > lengths[i * width + j - 1]!) {
      i--;
    } else {
      j--;
    }
  }
}

/**
 * Summary-level ROUGE-L over sets of words (Lin 2004, section 3.2, as `pltrdy/rouge` 1.0.1 computes it):
 * the union over all pairs of sentences of the words in their longest common subsequence, over the distinct words of
 * the reference (recall) and of the hypothesis (precision); f = 2 p r / (p + r + 1e-8).
 * Throws a `UserError` when one of the texts has no sentence, as the package raises ValueError.
 */
export function rougeL({
  hypothesis,
  reference,
}: {
  readonly hypothesis: string;
  readonly reference: string;
}): RougeLScore {
  const written = sentencesOf(hypothesis);
  const expected = sentencesOf(reference);
  if (written.length === 0) throw emptyText('hypothesis', hypothesis);
  if (expected.length === 0) throw emptyText('reference', reference);
  const union = new Set<string>();
  for (const expectedSentence of expected) {
    for (const writtenSentence of written) addCommonWords(expectedSentence, writtenSentence, union);
  }
  const recall = union.size / new Set(expected.flat()).size;
  const precision = union.size / new Set(written.flat()).size;
  const fMeasure = 2 * ((precision * recall) / (precision + recall + 1e-8));
  return { recall, precision, fMeasure };
}

function emptyText(role: string, text: string): UserError {
  return new UserError({
    what: `ROUGE-L is undefined: the ${role} ${JSON.stringify(text)} holds no word`,
    fix: role === 'reference' ? 'give the sample a response with words' : 'leave the sample out',
  });
}

/** What the `rouge` package raises (as ValueError) for a hypothesis without a sentence. */
const emptyHypothesis = 'Hypothesis is empty.';

/**
 * ROUGE-L f-measure of the normalised answer under `release`.
 * Source: MileBench `evaluate.py`, `evaluate_rouge`: an empty answer scores 0. Normalisation deletes 32 periods at most,
 * so an answer of more of them and nothing else reaches the `rouge` package, which aborts the script: reported in
 * `aborts`, with score 0.
 * Throws a `UserError` when the reference is empty or, not met by an empty answer, holds no sentence; the official script
 * stops there too.
 */
export function scoreRougeL({ answer, response }: ScoreInput): AnswerScore {
  const reference = normaliseAnswer(response);
  const hypothesis = normaliseAnswer(answer);
  if (reference === '') throw emptyText('reference', response);
  if (hypothesis === '') return { score: 0, extracted: null };
  if (sentencesOf(hypothesis).length === 0) return { score: 0, extracted: null, aborts: emptyHypothesis };
  return { score: rougeL({ hypothesis, reference }).fMeasure, extracted: null };
}

/**
 * ROUGE-L f-measure of the normalised answer under `fixed`. Repairs the abort on many periods (`evaluate.py` line 103,
 * caused by the 32 in the place of `count` in line 57): an answer of periods only holds no word, so it scores 0 like an
 * empty one, however many there are. Every other score is that of `release`.
 */
export function scoreRougeLFixed(input: ScoreInput): AnswerScore {
  const { score, extracted } = scoreRougeL(input);
  return { score, extracted };
}
