/**
 * The order in which contenders take their turns in a repeat: one later first in every repeat, and every other repeat
 * backwards, so that each comes early and late, and after different others.
 *
 * @returns [count] indices
 */
export function turnsOf(repeat: number, count: number): number[] {
  const turns = Array.from({ length: count }, (_, turn) => (repeat + turn) % count);
  return repeat % 2 === 0 ? turns : turns.reverse();
}
