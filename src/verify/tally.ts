/** The documented formats of golden vectors. */
export type VectorFormat = 'kv' | 'backbones' | 'prompt' | 'eval';

/** How far one mode of one vector directory agrees with the recorded outputs. */
export interface ModeTally {
  readonly format: VectorFormat;
  readonly directory: string;
  /** The mode's name in the vectors (`kv_mode`), a stage of the backbone such as `projector`, or a function. */
  readonly mode: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly cases: number;
  /** Cases whose kept indices, evicted tokens and merge targets are all identical; null where none apply. */
  readonly identicalSelections: number | null;
  /** Largest absolute difference of any compared value, K and V above all; null where none apply. */
  readonly worstError: number | null;
  /** Generated token runs that are identical, of how many; null where none apply. */
  readonly identicalTokens: { readonly equal: number; readonly of: number } | null;
  /** One line per mismatch, or the reason for skipping. */
  readonly notes: readonly string[];
}

/** The tally of recorded calls: what is wrong with each, `null` where nothing is. */
export function callTally(
  about: Pick<ModeTally, 'format' | 'directory' | 'mode'>,
  problems: readonly (string | null)[],
): ModeTally {
  const notes = problems.filter((problem) => problem !== null);
  return {
    ...about,
    status: notes.length === 0 ? 'passed' : 'failed',
    cases: problems.length,
    identicalSelections: null,
    worstError: null,
    identicalTokens: null,
    notes,
  };
}

/** Largest absolute difference; infinite when lengths differ, NaN counts as infinite. */
export function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let worst = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= worst)) worst = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return worst;
}

/** Whether two index lists are the same. */
export function sameIntegers(actual: ArrayLike<number>, expected: ArrayLike<number>): boolean {
  if (actual.length !== expected.length) return false;
  for (let i = 0; i < expected.length; i++) if (actual[i] !== expected[i]) return false;
  return true;
}
