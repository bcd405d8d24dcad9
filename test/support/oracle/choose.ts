/** Positions chosen, and how far the last one chosen is above the first one left. */
export interface Choice {
  readonly chosen: readonly number[];
  readonly margin: number;
}

/** The `count` candidates of largest score. */
export function largest(candidates: readonly number[], scores: readonly number[], count: number): Choice {
  const ranked = [...candidates].sort((a, b) => scores[b]! - scores[a]! || a - b);
  const chosen = ranked.slice(0, count);
  const cut = count > 0 && count < ranked.length;
  const margin = cut ? scores[ranked[count - 1]!]! - scores[ranked[count]!]! : Number.POSITIVE_INFINITY;
  return { chosen, margin };
}

/** I, equation 6: the N largest of A_s[:-M], and the last M. */
export function largestAndRecent(
  scores: readonly number[],
  { important, recent }: { readonly important: number; readonly recent: number },
  length: number,
): Choice {
  const before = Array.from({ length: length - recent }, (_, position) => position);
  const { chosen, margin } = largest(before, scores, important);
  return { chosen: inPromptOrder(chosen, recent, length), margin };
}

/** Of the N, a share by deviation and the rest by score; and the last M. */
export function steadyAndRecent(
  { scores, deviations }: { readonly scores: readonly number[]; readonly deviations: readonly number[] },
  {
    important,
    recent,
    share,
  }: { readonly important: number; readonly recent: number; readonly share: number },
  length: number,
): Choice {
  const before = Array.from({ length: length - recent }, (_, position) => position);
  const protectedOnes = largest(before, deviations, Math.floor(share * important));
  const others = before.filter((position) => !protectedOnes.chosen.includes(position));
  const rest = largest(others, scores, important - protectedOnes.chosen.length);
  return {
    chosen: inPromptOrder([...protectedOnes.chosen, ...rest.chosen], recent, length),
    margin: Math.min(protectedOnes.margin, rest.margin),
  };
}

function inPromptOrder(chosen: readonly number[], recent: number, length: number): number[] {
  const window = Array.from({ length: recent }, (_, i) => length - recent + i);
  return [...chosen, ...window].sort((a, b) => a - b);
}
