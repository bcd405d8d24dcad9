import type { Problem } from '../core/errors.js';

/** How much of the prompt's cache is kept, as two shares of the prompt length in [0, 1]. */
export interface Budget {
  readonly kind: 'ratio';
  /** The last tokens of the prompt. */
  readonly recent: number;
  /** Tokens chosen by score among the rest. */
  readonly important: number;
}

const budgetForms = 'write 20% (half recent, half important) or 0.1+0.1 (recent+important)';

/** The budget in words; `null` = the value is no budget at all. */
function readBudget(value: unknown): { recent: number; important: number } | null {
  if (typeof value === 'string') {
    const percent = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*%\s*$/.exec(value);
    if (percent) {
      // Scaling the decimal text keeps 0.3 % the same double as 0.003.
      const total = Number(`${percent[1]}e-2`);
      return { recent: total / 2, important: total / 2 };
    }
    const pair = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*\+\s*(\d+(?:\.\d+)?|\.\d+)\s*$/.exec(value);
    return pair ? { recent: Number(pair[1]), important: Number(pair[2]) } : null;
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const { recent, important, ...rest } = value as Record<string, unknown>;
  if (typeof recent !== 'number' || typeof important !== 'number' || Object.keys(rest).length > 0)
    return null;
  return { recent, important };
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : JSON.stringify(value);
}

/**
 * Parses a budget from `20%`, `0.1+0.1` or `{recent: 0.1, important: 0.1}`.
 *
 * Returns the problem instead of throwing, so that the caller can add file, line and field.
 */
export function parseBudget(
  value: unknown,
): { readonly budget: Budget } | { readonly problem: Omit<Problem, 'where'> } {
  const parts = readBudget(value);
  if (!parts) return { problem: { what: `${shown(value)} is not a budget`, fix: budgetForms } };
  const { recent, important } = parts;
  if (!(recent >= 0 && important >= 0 && Number.isFinite(recent + important))) {
    return { problem: { what: `budget ${shown(value)} has a negative part`, fix: budgetForms } };
  }
  if (recent + important === 0) {
    return { problem: { what: `budget ${shown(value)} keeps nothing`, fix: 'a budget is above 0 %' } };
  }
  // 0.7+0.3 and the like may exceed 1 by rounding alone.
  if (recent + important > 1 + Number.EPSILON) {
    return {
      problem: {
        what: `budget ${shown(value)} is more than 100 % of the prompt`,
        fix: 'a budget is at most 100 %; method full keeps everything',
      },
    };
  }
  return { budget: { kind: 'ratio', recent, important } };
}

/** Name of a budget in tables: `20%` when both parts are equal, else `0.15+0.05` (recent+important). */
export function budgetName({ recent, important }: { recent: number; important: number }): string {
  if (recent !== important) return `${recent}+${important}`;
  // Twelve digits hide the rounding of the percentage itself (0.07 * 100).
  return `${Number(((recent + important) * 100).toPrecision(12))}%`;
}
