/** Long work that stops now and then to let others have a turn. */
export interface PiecewiseRun {
  readonly pieces: AsyncIterable<void>;
  /** How many pieces there are. */
  readonly count: number;
}

/**
 * Runs all of them once, whoever is furthest behind next, so that drift of a noisy machine falls on all alike.
 *
 * @returns milliseconds of each, without those of the others
 */
export async function raceInPieces(runs: readonly PiecewiseRun[]): Promise<number[]> {
  const state = runs.map(({ pieces, count }) => ({
    iterator: pieces[Symbol.asyncIterator](),
    count,
    done: 0,
    finished: false,
    milliseconds: 0,
  }));
  for (;;) {
    const open = state.filter(({ finished }) => !finished);
    if (open.length === 0) return state.map(({ milliseconds }) => milliseconds);
    const next = open.reduce((a, b) => (b.done / b.count < a.done / a.count ? b : a));
    const start = performance.now();
    next.finished = (await next.iterator.next()).done === true;
    next.milliseconds += performance.now() - start;
    next.done++;
  }
}
