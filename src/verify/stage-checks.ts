import type { ModeTally } from './tally.js';

/** One comparison of a stage: an error against a tolerance, or an equality. */
export interface StageCheck {
  readonly what: string;
  /** Largest absolute difference; 0 or infinity for equalities. */
  readonly error: number;
  readonly tolerance: number;
}

/** Equality as a check. */
export function equality(what: string, holds: boolean): StageCheck {
  return { what, error: holds ? 0 : Number.POSITIVE_INFINITY, tolerance: 0 };
}

/** The tally of a stage: passed when every check is within its tolerance. */
export function stageTally(directory: string, mode: string, checks: readonly StageCheck[]): ModeTally {
  const failed = checks.filter(({ error, tolerance }) => !(error <= tolerance));
  return {
    format: 'backbones',
    directory,
    mode,
    status: failed.length === 0 ? 'passed' : 'failed',
    cases: checks.length,
    identicalSelections: null,
    worstError: Math.max(...checks.map(({ error }) => error)),
    identicalTokens: null,
    notes: failed.map(({ what, error, tolerance }) =>
      tolerance === 0 && error === Number.POSITIVE_INFINITY
        ? `${what} differs`
        : `${what}: error ${error}, allowed ${tolerance}`,
    ),
  };
}
