import { nearMatches } from '../core/near-matches.js';

/** `did you mean a or b? `, or nothing. */
export function suggestion(name: string, known: readonly string[]): string {
  const near = nearMatches(name, known);
  return near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `;
}
