import type { Budget } from '../../../src/core/budget.js';
import { attentionWeights, type OraclePrompt, rowOf } from './attention-weights.js';
import { type Choice, largestAndRecent, steadyAndRecent } from './choose.js';
import { accumulated, pooledVotes, visibleDeviation, visibleMean, withTextPrior } from './importance.js';
import { type HeadRows, type MergeName, mergeEvicted } from './merge.js';
import { type Rows, rowsOfBudget } from './rows-of-budget.js';

/** One key/value head as the paper has it. */
export interface OracleHead extends HeadRows {
  readonly kept: readonly number[];
}

export interface OracleCache {
  readonly heads: readonly OracleHead[];
  /** How far from a tie the choice of rows is, and the choice of nearest keys. */
  readonly scoreMargin: number;
  readonly similarityMargin: number;
}

/** What a choice of one head goes by. */
interface HeadView {
  /** `[member][query][key]`. */
  readonly weights: readonly number[][][];
  readonly modality: Uint8Array;
  readonly length: number;
}

type Choose = (head: HeadView, rows: Rows) => Choice;

const observationWindow = 32;
const poolWidth = 5;
const steadyShare = 0.3;

const byAttention: Choose = ({ weights, length }, rows) =>
  largestAndRecent(accumulated(weights), rows, length);

const textFirst: Choose = ({ weights, modality, length }, rows) =>
  largestAndRecent(withTextPrior(accumulated(weights), modality), rows, length);

const byVotes: Choose = ({ weights, length }, { important, recent }) => {
  const window = Math.min(observationWindow, important + recent);
  const voters = Math.min(observationWindow, length);
  const votes = pooledVotes(weights, { voters, window, width: poolWidth });
  return largestAndRecent(votes, { recent: window, important: important + recent - window }, length);
};

const steadily: Choose = ({ weights, length }, rows) => {
  const statistics = { scores: visibleMean(weights), deviations: visibleDeviation(weights) };
  return steadyAndRecent(statistics, { ...rows, share: steadyShare }, length);
};

/** The rows of the paper's Table 1: what is kept, and how the rest is merged into it. */
export const paperMethods = Object.freeze({
  full: null,
  h2o: { choose: byAttention, merge: null },
  snapkv: { choose: byVotes, merge: null },
  roco: { choose: steadily, merge: null },
  'look-m-a': { choose: byAttention, merge: 'average' },
  'look-m-w': { choose: byAttention, merge: 'weighted' },
  'look-m-p': { choose: byAttention, merge: 'pivotal' },
  'look-m-tp-a': { choose: textFirst, merge: 'average' },
  'look-m-tp-w': { choose: textFirst, merge: 'weighted' },
  'look-m-tp-p': { choose: textFirst, merge: 'pivotal' },
} as const satisfies Record<string, { readonly choose: Choose; readonly merge: MergeName | null } | null>);
export type PaperMethod = keyof typeof paperMethods;

/** The attention of a prompt, computed once for every method and each number of tokens seen. */
export class PaperOracle {
  readonly #prompt: OraclePrompt;
  readonly #weights = new Map<number, number[][][][]>();

  constructor(prompt: OraclePrompt) {
    this.#prompt = prompt;
  }

  /** @param seen tokens that compression sees: the prompt's, or one less */
  cache(name: PaperMethod, budget: Budget, { seen, layers }: { seen: number; layers: number }): OracleCache {
    const { kvHeads, headDim, length, modality } = this.#prompt;
    const rows = rowsOfBudget(budget, { length: seen, layers, kvHeads, headDim });
    const method = paperMethods[name];
    const everything = method === null || rows.important + rows.recent >= seen;
    let scoreMargin = Number.POSITIVE_INFINITY;
    let similarityMargin = Number.POSITIVE_INFINITY;
    const heads = Array.from({ length: kvHeads }, (_, head): OracleHead => {
      const all = Array.from({ length: seen }, (_, position) => position);
      const stored = (data: Float32Array): number[][] =>
        all.map((position) => rowOf(data, { head, position, length, headDim }));
      const source = { keys: stored(this.#prompt.keys), values: stored(this.#prompt.values) };
      if (everything) return { kept: all, ...source };
      const weights = this.#weightsOf(seen)[head]!;
      const { chosen, margin } = method.choose({ weights, modality, length: seen }, rows);
      scoreMargin = Math.min(scoreMargin, margin);
      if (method.merge === null || chosen.length === 0) {
        return { kept: chosen, keys: at(source.keys, chosen), values: at(source.values, chosen) };
      }
      const merged = mergeEvicted(source, chosen, method.merge);
      similarityMargin = Math.min(similarityMargin, merged.margin);
      return { kept: chosen, keys: merged.keys, values: merged.values };
    });
    return { heads, scoreMargin, similarityMargin };
  }

  #weightsOf(seen: number): number[][][][] {
    const known = this.#weights.get(seen) ?? attentionWeights(this.#prompt, seen);
    this.#weights.set(seen, known);
    return known;
  }
}

function at(rows: readonly number[][], positions: readonly number[]): number[][] {
  return positions.map((position) => rows[position]!);
}
