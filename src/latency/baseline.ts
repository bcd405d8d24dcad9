import { fullMethod } from '../bench/plan.js';
import type { Cell } from '../bench/record.js';

/** Whether a cell is the one that speed-ups refer to: the uncompressed cache. */
export function isFullCell({ method }: Pick<Cell, 'method'>): boolean {
  return method === fullMethod;
}
