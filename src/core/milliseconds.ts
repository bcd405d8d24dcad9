/** Milliseconds without digits that the clock does not have. */
export function roundedToMicroseconds(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000;
}
