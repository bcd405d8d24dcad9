import * as crypto from 'node:crypto';

/** Twice as fast on a few kilobytes; Node.js has it from 20.12 on. */
const oneShot: typeof crypto.hash | undefined = crypto.hash;

/** SHA-256 of bytes or of the UTF-8 form of a string, in hexadecimal. */
export function sha256(content: Uint8Array | string): string {
  if (oneShot !== undefined) return oneShot('sha256', content, 'hex');
  return crypto.createHash('sha256').update(content).digest('hex');
}

/** JSON with object keys sorted at every depth, so that equal values have equal text. `undefined` fields are left out. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join()}]`;
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
  return `{${fields.join()}}`;
}

/** Hash of a JSON value by content. */
export function hashJson(value: unknown): string {
  return sha256(canonicalJson(value));
}
