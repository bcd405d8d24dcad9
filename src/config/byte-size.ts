/** Units of bytes by the name they are written with, larger ones first. */
export const byteUnits = Object.freeze({
  GiB: 2 ** 30,
  MiB: 2 ** 20,
  KiB: 2 ** 10,
  B: 1,
} as const);

const sizeForm = new RegExp(`^\\s*(\\d+(?:\\.\\d+)?|\\.\\d+)\\s*(${Object.keys(byteUnits).join('|')})\\s*$`);

/** Whole bytes of a size such as `8GiB` or `1.5 GiB`; `null` when the text is none. */
export function parseByteSize(text: string): number | null {
  const [, amount, unit] = sizeForm.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return null;
  const bytes = Math.floor(Number(amount) * byteUnits[unit as keyof typeof byteUnits]);
  return Number.isSafeInteger(bytes) ? bytes : null;
}
