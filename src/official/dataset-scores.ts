import type { Scoring } from '../config/protocols.js';
import { bootstrapInterval } from '../core/bootstrap.js';
import type { Interval } from '../core/interval.js';
import { numberOf, type PythonDict } from '../core/python-value.js';
import { wilsonInterval } from '../core/wilson-interval.js';
import type { OfficialMetric } from '../milebench/taxonomy.js';
import { findMetric } from '../scoring/registry.js';
import { scoresOf } from './collect-results.js';
import type { Evaluation } from './evaluate-predictions.js';

/** A dataset's score, its predictions counted. */
export interface ScoredDataset {
  readonly from: 'predictions';
  readonly metric: OfficialMetric;
  /** In [0, 1]. */
  readonly score: number;
  /** 95 %: Wilson for accuracies, bootstrap over samples for ROUGE-L. */
  readonly interval: Interval;
  /** Predictions scored. */
  readonly n: number;
  /** Samples of the dataset. */
  readonly samples: number;
}

/** A score that an earlier run left in `eval.json`, where there are no predictions to score. */
export interface EarlierScore {
  readonly from: 'eval.json';
  readonly metric: string;
  readonly score: number;
}

/** Any number will do, as long as it is always the same. */
const bootstrapSeed = 1;

export function scoredDataset({ metric, score, scores, samples }: Evaluation): ScoredDataset {
  const n = scores.length;
  const interval =
    findMetric(metric).scale === 'graded'
      ? bootstrapInterval({ values: scores, seed: bootstrapSeed })
      : wilsonInterval({ successes: scores.reduce((sum, one) => sum + one, 0), trials: n });
  return { from: 'predictions', metric, score, interval, n, samples };
}

/** The first score of an `eval.json`, `null` when it has none. */
export function earlierScore(summary: PythonDict): EarlierScore | null {
  const [first] = scoresOf(summary);
  if (first === undefined) return null;
  const [metric, value] = first;
  const score = typeof value === 'boolean' ? Number(value) : numberOf(value);
  return score === null ? null : { from: 'eval.json', metric, score };
}

/** What the numbers mean, for readers. */
export function scoringNote(scoring: Scoring): string {
  return scoring === 'release'
    ? 'Scoring semantics: release (as MileBench’s evaluate.py scores, its bugs included).'
    : 'Scoring semantics: fixed (MileBench’s rules with their documented bugs repaired).';
}
