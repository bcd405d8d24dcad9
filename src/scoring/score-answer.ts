import type { Scoring } from '../config/protocols.js';
import type { AnswerScore, ScoreInput } from './metric.js';
import { findMetric } from './registry.js';

/**
 * The score of one answer: under `release` exactly as MileBench's `evaluate.py` gives it, under `fixed` with its
 * documented mistakes repaired. The score of a dataset is the mean of these (`pairwiseMean`).
 * Throws a `UserError` for an unknown metric and for an annotation the metric cannot score.
 */
export function scoreAnswer({
  metric,
  scoring,
  ...input
}: ScoreInput & { readonly metric: string; readonly scoring: Scoring }): AnswerScore {
  return findMetric(metric)[scoring](input);
}
