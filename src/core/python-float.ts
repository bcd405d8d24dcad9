/** `repr` of a float: shortest digits that read back, positional for exponents in [-4, 16). */
export function floatRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf';
  const [mantissa, exponentText] = value.toExponential().split('e') as [string, string];
  const exponent = Number(exponentText);
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const digits = mantissa.replace(/[-.]/g, '');
  if (exponent < -4 || exponent >= 16) {
    const fraction = digits.length > 1 ? `.${digits.slice(1)}` : '';
    const size = String(Math.abs(exponent)).padStart(2, '0');
    return `${sign}${digits[0]}${fraction}e${exponent < 0 ? '-' : '+'}${size}`;
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`;
}

/** The text of a float in Python's JSON. */
export function floatJson(value: number): string {
  if (Number.isFinite(value)) return floatRepr(value);
  return Number.isNaN(value) ? 'NaN' : value < 0 ? '-Infinity' : 'Infinity';
}

/** From here on every float64 is whole, and `toFixed` turns to exponents soon after. */
const wholeFrom = 2 ** 52;

/**
 * Python's `round(value, digits)` of a float: correctly rounded from the exact binary value, ties to the even digit.
 * `digits` is at least 1.
 */
export function roundFloat(value: number, digits: number): number {
  if (!(Math.abs(value) < wholeFrom) || value === 0) return value;
  const rounded = value.toFixed(digits);
  // Twice the value in units of the last digit is k 5^digits with this k: odd for a tie, which toFixed takes away from 0.
  const isTie = Math.abs((value * 2 ** (digits + 1)) % 2) === 1;
  const last = Number(rounded.at(-1));
  return Number(isTie && last % 2 === 1 ? `${rounded.slice(0, -1)}${last - 1}` : rounded);
}
