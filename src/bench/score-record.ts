import type { ScoreInput } from '../scoring/metric.js';
import { scoreAnswer } from '../scoring/score-answer.js';
import type { SampleRecord } from './record.js';

/**
 * Both scores of an answer, as records keep them.
 * Throws a `UserError` for an unknown metric and for an annotation the metric cannot score.
 */
export function scoreRecord(input: ScoreInput & { readonly metric: string }): SampleRecord['scores'] {
  return {
    release: scoreAnswer({ ...input, scoring: 'release' }),
    fixed: scoreAnswer({ ...input, scoring: 'fixed' }),
  };
}
