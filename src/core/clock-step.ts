/** Steps of the clock that are looked at. */
const stepsSeen = 1000;

/** Readings that are enough to see them on any clock; a bound all the same. */
const mostReadings = 1_000_000;

/** The smallest step of `performance.now()` that shows, in microseconds: no time is known better. */
export function clockStep(): number {
  let smallest = Number.POSITIVE_INFINITY;
  let seen = 0;
  let before = performance.now();
  for (let reading = 0; reading < mostReadings && seen < stepsSeen; reading++) {
    const now = performance.now();
    if (now > before) {
      smallest = Math.min(smallest, now - before);
      seen++;
    }
    before = now;
  }
  return 1000 * smallest;
}
