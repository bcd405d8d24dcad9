import type { LayerInput } from '../../../src/compression/layer-input.js';
import type { RowBudget } from '../../../src/compression/row-budget.js';

/** What a method of the release goes by in one head: a number a position, and which positions come first. */
interface Rule {
  /** Scores of the head, larger stays. */
  readonly scores: (layer: LayerInput, head: number, budget: RowBudget) => number[];
  /** Positions that outrank all others. */
  readonly first?: (layer: LayerInput, position: number) => boolean;
  /** Positions kept even beyond the budget. */
  readonly always?: (layer: LayerInput, position: number) => boolean;
  /** Positions that are never kept, not even in the recent window. */
  readonly never?: (layer: LayerInput, position: number) => boolean;
  readonly order?: 'by score';
  /** Compresses prompts without an image too, and reorders one that fits exactly. */
  readonly eager?: true;
  readonly zeroBudget?: 'full cache';
}

const sumsOf = ({ statistics, length }: LayerInput, head: number): number[] =>
  Array.from(statistics.columnSums(length).slice(head * length, (head + 1) * length));

const isText = ({ modality }: LayerInput, position: number): boolean => modality[position] === 0;

function pooledVotes(layer: LayerInput, head: number, budget: RowBudget): number[] {
  const { statistics, length } = layer;
  const voters = Math.min(length, Math.max(1, budget.recent));
  const votes = statistics.windowSums({ from: length - voters, to: length });
  const before = Array.from(votes.slice(head * length, head * length + length - budget.recent));
  const at = (position: number): number => before[position] ?? 0;
  return before.map((_, i) => Math.fround((at(i - 2) + at(i - 1) + at(i) + at(i + 1) + at(i + 2)) / 5));
}

function norms({ keys, headDim, length, capacity }: LayerInput, head: number): number[] {
  return Array.from({ length }, (_, position) => {
    const from = (head * capacity + position) * headDim;
    return Math.fround(Math.sqrt(keys.slice(from, from + headDim).reduce((sum, x) => sum + x * x, 0)));
  });
}

const protectingFour = {
  scores: sumsOf,
  first: (_layer: LayerInput, position: number) => position < 4,
  zeroBudget: 'full cache',
} as const;
const keepingText = { scores: sumsOf, always: isText, zeroBudget: 'full cache' } as const;

/** Every method of the release that evicts by a formula; those that draw lots are not here. */
export const releasedRules: Readonly<Record<string, Rule>> = Object.freeze({
  h2o: { scores: sumsOf },
  snapkv: { scores: pooledVotes, order: 'by score', eager: true, zeroBudget: 'full cache' },
  roco: { scores: (layer, head) => sumsOf(layer, head).map((sum) => Math.fround(sum / layer.length)) },
  'look-m-a': protectingFour,
  'look-m-w': protectingFour,
  'look-m-p': protectingFour,
  'look-m-tp-a': keepingText,
  'look-m-tp-w': keepingText,
  'look-m-tp-p': keepingText,
  'look-m-tp': keepingText,
  knorm: { scores: (layer, head) => norms(layer, head).map((norm) => -norm) },
  'streaming-llm': { scores: ({ length }) => Array.from({ length }, (_, i) => (i < 4 ? 2 * length - i : i)) },
  'text-only': {
    scores: sumsOf,
    always: isText,
    never: (layer, position) => !isText(layer, position),
  },
});

/** Why a rule leaves a prompt alone, or null where it compresses it. */
export function leftAlone(
  { eager, zeroBudget }: Rule,
  layer: LayerInput,
  { recent, important }: RowBudget,
): 'no image in the prompt' | 'prompt within budget' | 'zero budget' | null {
  const { length, modality } = layer;
  const rows = recent + important;
  if (!modality.slice(0, length).includes(1) && !eager) return 'no image in the prompt';
  if (eager ? length < rows : length <= rows) return 'prompt within budget';
  return rows === 0 && zeroBudget === 'full cache' ? 'zero budget' : null;
}

/** Positions a head keeps, by sorting: the slow statement of what selection means. */
export function releasedKept(rule: Rule, layer: LayerInput, head: number, budget: RowBudget): number[] {
  const positions = Array.from({ length: layer.length }, (_, position) => position);
  const window = layer.length - budget.recent;
  const scores = rule.scores(layer, head, budget);
  const rank = (position: number): number => (rule.first?.(layer, position) ? 1 : 0);
  const before = positions.slice(0, window);
  const always = before.filter((position) => rule.always?.(layer, position));
  const chosen = before
    .filter((position) => !rule.always?.(layer, position) && !rule.never?.(layer, position))
    .sort((a, b) => rank(b) - rank(a) || scores[b]! - scores[a]! || a - b)
    .slice(0, Math.max(0, budget.important - always.length));
  const recent = positions.slice(window).filter((position) => !rule.never?.(layer, position));
  return rule.order === 'by score'
    ? [...chosen, ...recent]
    : [...always, ...chosen, ...recent].sort((a, b) => a - b);
}
