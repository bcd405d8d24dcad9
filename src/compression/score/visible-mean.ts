import { plainStage } from '../stage.js';
import { scoreOf } from './score.js';

/** Attention weight a position receives, averaged over the queries that can see it. Source: RoCo (arXiv 2402.06262). */
export const visibleMean = plainStage({
  summary: 'attention received, averaged over the queries that can see the key',
  version: 1,
  rule: scoreOf(({ statistics, heads, length }) => {
    const sums = statistics.columnSums(length);
    const means = new Float32Array(heads * length);
    for (let i = 0; i < means.length; i++) means[i] = sums[i]! / (length - (i % length));
    return means;
  }),
});
