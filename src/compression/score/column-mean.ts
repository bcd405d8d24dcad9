import { plainStage } from '../stage.js';
import { scoreOf } from './score.js';

/**
 * The column sum over the prompt's length, also for keys that fewer queries can see: dividing by a constant, it orders
 * as the column sum does. Source: modify_llama.py:1140, the release's RoCo.
 */
export const columnMean = plainStage({
  summary: 'attention received over the prompt length: orders as column-sum does',
  version: 1,
  rule: scoreOf((layer) => layer.statistics.columnSums(layer.length).map((sum) => sum / layer.length)),
});
