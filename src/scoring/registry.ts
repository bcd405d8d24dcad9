import { UserError } from '../core/errors.js';
import { nearMatches } from '../core/near-matches.js';
import { scoreMultiChoiceFixed } from './fixed/multi-choice.js';
import type { Metric } from './metric.js';
import { scoreMultiChoice } from './multi-choice.js';
import { scoreNeedle } from './needle.js';
import { scoreRougeL, scoreRougeLFixed } from './rouge-l.js';

/** Every metric by the name datasets ask for it. */
export const metrics = Object.freeze({
  accuracy: { scale: 'binary', release: scoreMultiChoice, fixed: scoreMultiChoiceFixed },
  'rouge-l': { scale: 'graded', release: scoreRougeL, fixed: scoreRougeLFixed },
  needle: { scale: 'binary', release: scoreNeedle, fixed: scoreNeedle },
} as const satisfies Record<string, Metric>);

export type MetricName = keyof typeof metrics;

export function isMetricName(name: string): name is MetricName {
  return Object.hasOwn(metrics, name);
}

/** The metric of that name. Throws a `UserError` with the near matches for an unknown name; `where` says who asked. */
export function findMetric(name: string, where?: string): Metric {
  if (isMetricName(name)) return metrics[name];
  const known = Object.keys(metrics);
  const near = nearMatches(name, known);
  throw new UserError({
    what: `unknown metric ${JSON.stringify(name)}`,
    ...(where === undefined ? {} : { where }),
    fix: `write ${(near.length > 0 ? near : known).join(' or ')}`,
  });
}
