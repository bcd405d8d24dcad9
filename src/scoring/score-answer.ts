import type { AnswerScore, ScoreInput } from './metric.js';
import { findMetric } from './registry.js';

/**
 * The score of one answer, exactly as MileBench's `evaluate.py` gives it. The score of a dataset is the mean of these
 * (`pairwiseMean`).
 * Throws a `UserError` for an unknown metric and for an annotation the metric cannot score.
 */
export function scoreAnswer({ metric, ...input }: ScoreInput & { readonly metric: string }): AnswerScore {
  return findMetric(metric)(input);
}
