import { tiers } from '../prior/prior.js';
import { type Candidates, markLargest } from './largest.js';
import type { SelectInput, Selection } from './selection.js';

/** What a rule does in one head before the scores decide: it may mark up to `count` candidates, and says how many. */
export type Protect = (head: {
  readonly offset: number;
  readonly candidates: Candidates;
  readonly count: number;
  readonly marked: Uint8Array;
  readonly scratch: Float32Array;
}) => number;

/**
 * Conserves the recent window and, before it, what the tiers order and the scores choose: positions of tier `always`,
 * then those of `preferred`, then the rest, each by score, until the important rows are filled. Only `always` goes
 * beyond the budget: rows = recent + max(important, always before the window).
 */
export function fillRows({ layer, budget, scores, positions }: SelectInput, protect?: Protect): Selection {
  const { heads, length } = layer;
  const window = Math.max(0, length - budget.recent);
  const before = (tier: number): Candidates => positionsOf(positions, tier, 0, window);
  const always = before(tiers.always);
  const preferred = before(tiers.preferred);
  const scored = before(tiers.scored);
  const recent = keptOfWindow(positions, window, length);
  const free = Math.min(Math.max(0, budget.important - always.count), preferred.count + scored.count);
  const rows = always.count + free + recent.length;
  const kept = new Int32Array(heads * rows);
  const marked = new Uint8Array(window);
  const scratch = new Float32Array(window);
  const evictable = preferred.count === 0 ? scored : merged(preferred, scored);
  for (let head = 0; head < heads; head++) {
    const offset = head * length;
    marked.fill(0);
    for (let i = 0; i < always.count; i++) marked[always.positions[i]!] = 1;
    let open = free;
    open -= protect?.({ offset, candidates: evictable, count: open, marked, scratch }) ?? 0;
    open -= markLargest({ scores, offset, candidates: preferred, count: open, marked, scratch });
    markLargest({ scores, offset, candidates: scored, count: open, marked, scratch });
    let row = head * rows;
    for (let i = 0; i < window; i++) if (marked[i] === 1) kept[row++] = i;
    kept.set(recent, row);
  }
  return { rows, kept };
}

function positionsOf(positions: Uint8Array, tier: number, from: number, to: number): Candidates {
  const found = new Int32Array(to - from);
  let count = 0;
  for (let i = from; i < to; i++) if (positions[i] === tier) found[count++] = i;
  return { positions: found, count };
}

function keptOfWindow(positions: Uint8Array, from: number, to: number): Int32Array {
  const found = new Int32Array(to - from);
  let count = 0;
  for (let i = from; i < to; i++) if (positions[i] !== tiers.never) found[count++] = i;
  return found.subarray(0, count);
}

/** Two ascending lists as one. */
function merged(a: Candidates, b: Candidates): Candidates {
  const positions = new Int32Array(a.count + b.count);
  positions.set(a.positions.subarray(0, a.count));
  positions.set(b.positions.subarray(0, b.count), a.count);
  return { positions: positions.sort(), count: positions.length };
}
