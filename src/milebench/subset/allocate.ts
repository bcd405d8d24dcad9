import { invariant } from '../../core/errors.js';

/**
 * Shares `total` among groups in proportion to their sizes, by largest remainders (of equal ones the earlier group is
 * served first). No group gets more than its size, and every group that is not empty gets at least one where `total`
 * suffices. Computed in integers, so it is the same on every machine.
 */
export function allocateProportionally(sizes: readonly number[], total: number): number[] {
  const all = sizes.reduce((sum, size) => sum + size, 0);
  invariant(total >= 0 && total <= all, 'no more can be shared than there is');
  const groups = sizes.map((size, index) => ({ size, index })).filter(({ size }) => size > 0);
  const shares = sizes.map(() => 0);
  let open = groups;
  let rest = total;
  let restOfAll = all;
  if (total >= groups.length) {
    // Each group set aside with its one share changes the proportion for the others, so it is asked again.
    for (let small = open; small.length > 0; ) {
      const [share, whole] = [rest, restOfAll];
      small = open.filter(({ size }) => share * size < whole);
      open = open.filter(({ size }) => share * size >= whole);
      for (const { size, index } of small) {
        shares[index] = 1;
        rest--;
        restOfAll -= size;
      }
    }
  }
  let left = rest;
  for (const { size, index } of open) {
    shares[index] = Math.floor((rest * size) / restOfAll);
    left -= shares[index]!;
  }
  const byRemainder = [...open].sort(
    (a, b) => ((rest * b.size) % restOfAll) - ((rest * a.size) % restOfAll) || a.index - b.index,
  );
  for (const { index } of byRemainder.slice(0, left)) shares[index]!++;
  return shares;
}
