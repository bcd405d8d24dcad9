import type { Budget } from '../core/budget.js';
import type { Problem } from '../core/errors.js';
import { byteUnits } from './byte-size.js';

/** Units by the name they are written with, larger ones first. */
const units = Object.freeze({
  tok: { kind: 'tokens', size: 1 },
  GiB: { kind: 'bytes', size: byteUnits.GiB },
  MiB: { kind: 'bytes', size: byteUnits.MiB },
  KiB: { kind: 'bytes', size: byteUnits.KiB },
  B: { kind: 'bytes', size: byteUnits.B },
} as const satisfies Record<string, { readonly kind: Budget['kind']; readonly size: number }>);
type UnitName = keyof typeof units;

/** A number as written; without a unit it is a share of the prompt. */
interface Amount {
  readonly value: number;
  readonly unit: UnitName | null;
}

/** A budget as written: its parts, or a total to be halved. */
type Written =
  | { readonly kind: 'total'; readonly total: Amount }
  | { readonly kind: 'parts'; readonly recent: Amount; readonly important: Amount };

const budgetForms =
  'write 20%, 512tok or 64MiB (half recent, half important) or 0.1+0.1, 128tok+384tok or 16MiB+48MiB (recent+important)';

const percentForm = /^\s*(\d+(?:\.\d+)?|\.\d+)\s*%\s*$/;
/** Very small shares have an exponent in their names. */
const shareForm = /^\s*((?:\d+(?:\.\d+)?|\.\d+)(?:e-\d+)?)\s*$/;
const sizeForm = new RegExp(`^\\s*(\\d+(?:\\.\\d+)?|\\.\\d+)\\s*(${Object.keys(units).join('|')})\\s*$`);

function readSize(text: string): Amount | null {
  const size = sizeForm.exec(text);
  return size === null ? null : { value: Number(size[1]), unit: size[2] as UnitName };
}

function readShare(text: string): Amount | null {
  const share = shareForm.exec(text);
  return share === null ? null : { value: Number(share[1]), unit: null };
}

function readTotal(text: string): Amount | null {
  const percent = percentForm.exec(text);
  // Scaling the decimal text keeps 0.3 % the same double as 0.003.
  return percent === null ? readSize(text) : { value: Number(`${percent[1]}e-2`), unit: null };
}

function partsOf(recent: Amount | null, important: Amount | null): Written | null {
  return recent === null || important === null ? null : { kind: 'parts', recent, important };
}

/** `null` = the value is no budget at all. */
function readBudget(value: unknown): Written | null {
  if (typeof value === 'string') {
    const [first = '', second, ...more] = value.split('+');
    if (more.length > 0) return null;
    if (second !== undefined)
      return partsOf(readShare(first) ?? readSize(first), readShare(second) ?? readSize(second));
    const total = readTotal(first);
    return total === null ? null : { kind: 'total', total };
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return null;
  const { recent, important, ...rest } = value as Record<string, unknown>;
  return Object.keys(rest).length > 0 ? null : partsOf(readPart(recent), readPart(important));
}

/** A part of a budget that is written as keys: a share is a number there. */
function readPart(value: unknown): Amount | null {
  if (typeof value === 'number') return { value, unit: null };
  return typeof value === 'string' ? readSize(value) : null;
}

/** In the unit of its kind of budget; of bytes only whole ones count. */
function sizeOf({ value, unit }: Amount): number {
  if (unit === null) return value;
  const { kind, size } = units[unit];
  return kind === 'bytes' ? Math.floor(value * size) : value;
}

function budgetOf(written: Written): Budget {
  const { unit } = written.kind === 'total' ? written.total : written.recent;
  const kind = unit === null ? 'ratio' : units[unit].kind;
  if (written.kind === 'parts')
    return { kind, recent: sizeOf(written.recent), important: sizeOf(written.important) };
  const total = sizeOf(written.total);
  const recent = kind === 'ratio' ? total / 2 : Math.floor(total / 2);
  return { kind, recent, important: total - recent };
}

function shown(value: unknown): string {
  return typeof value === 'string' ? `"${value}"` : JSON.stringify(value);
}

/** What is wrong with the amounts of a budget, if anything is. */
function problemOf({ kind, recent, important }: Budget, written: string): Omit<Problem, 'where'> | null {
  const total = recent + important;
  if (kind !== 'ratio' && !(total <= Number.MAX_SAFE_INTEGER))
    return { what: `budget ${written} is larger than any cache`, fix: 'method full keeps everything' };
  if (!(recent >= 0 && important >= 0))
    return { what: `budget ${written} has a negative part`, fix: budgetForms };
  if (total === 0) return { what: `budget ${written} keeps nothing`, fix: 'a budget is above 0 %' };
  if (kind !== 'ratio') {
    if (!Number.isInteger(recent) || !Number.isInteger(important))
      return { what: `budget ${written} is not a whole number of tokens`, fix: budgetForms };
    return null;
  }
  // 0.7+0.3 and the like may exceed 1 by rounding alone.
  if (total <= 1 + Number.EPSILON) return null;
  return {
    what: `budget ${written} is more than 100 % of the prompt`,
    fix: 'a budget is at most 100 %; method full keeps everything',
  };
}

/**
 * Parses a budget from `20%`, `0.1+0.1` or `{recent: 0.1, important: 0.1}` (shares of the prompt), from `512tok`,
 * `128tok+384tok` or `{recent: 128tok, important: 384tok}` (rows in every layer), or from `64MiB`, `16MiB+48MiB` and
 * the like (bytes of all layers; B, KiB, MiB and GiB).
 *
 * Returns the problem instead of throwing, so that the caller can add file, line and field.
 */
export function parseBudget(
  value: unknown,
): { readonly budget: Budget } | { readonly problem: Omit<Problem, 'where'> } {
  const written = readBudget(value);
  if (!written) return { problem: { what: `${shown(value)} is not a budget`, fix: budgetForms } };
  if (written.kind === 'parts' && written.recent.unit !== written.important.unit) {
    const what = `budget ${shown(value)} mixes units`;
    return { problem: { what, fix: 'write both parts in one unit' } };
  }
  const budget = budgetOf(written);
  const problem = problemOf(budget, shown(value));
  return problem === null ? { budget } : { problem };
}

function isHalved({ recent, important }: Budget): boolean {
  return recent === Math.floor((recent + important) / 2);
}

/** The largest unit of a kind that all sizes are whole numbers of. */
function unitFor(kind: Budget['kind'], sizes: readonly number[]): readonly [string, number] {
  const [name, { size }] = Object.entries(units).find(
    ([, unit]) => unit.kind === kind && sizes.every((each) => each % unit.size === 0),
  )!;
  return [name, size];
}

function ratioName({ recent, important }: Budget): string {
  const parts = `${recent}+${important}`;
  if (recent !== important) return parts;
  // Twelve digits hide the rounding of the percentage itself (0.07 * 100).
  const percent = `${Number(((recent + important) * 100).toPrecision(12))}%`;
  const total = readTotal(percent);
  return total !== null && total.value / 2 === recent ? percent : parts;
}

/**
 * Name of a budget in tables, which `parseBudget` reads back to the same budget: `20%`, `512tok` or `64MiB` when it
 * is halved, else `0.15+0.05`, `128tok+384tok` or `16MiB+48MiB` (recent+important).
 */
export function budgetName(budget: Budget): string {
  const { kind, recent, important } = budget;
  if (kind === 'ratio') return ratioName(budget);
  const sizes = isHalved(budget) ? [recent + important] : [recent, important];
  const [unit, size] = unitFor(kind, sizes);
  return sizes.map((each) => `${each / size}${unit}`).join('+');
}
