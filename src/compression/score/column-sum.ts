import { plainStage } from '../stage.js';
import { scoreOf } from './score.js';

/** Attention weight a position receives, summed over the queries of the prompt. Source: equation 4; H2O; modify_llama.py:323. */
export const columnSum = plainStage({
  summary: 'attention received, summed over all queries',
  version: 1,
  rule: scoreOf((layer) => layer.statistics.columnSums(layer.length)),
});
