/** Weights that one key receives, `[member][query]`, from the queries that can see it. */
function received(weights: readonly number[][][], key: number, fromQuery: number): number[][] {
  return weights.map((member) => member.slice(Math.max(key, fromQuery)).map((row) => row[key]!));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

const keysOf = (weights: readonly number[][][]): number[] => weights[0]!.map((_, key) => key);

/** A_s, equation 4: attention a key receives from all queries; query heads of a shared key are averaged. */
export function accumulated(weights: readonly number[][][]): number[] {
  return keysOf(weights).map((key) => mean(received(weights, key, 0).map(sum)));
}

/** A_s with T_p = max(A_s) added to text, equation 5. */
export function withTextPrior(scores: readonly number[], modality: Uint8Array): number[] {
  const prior = Math.max(...scores);
  return scores.map((score, position) => (modality[position] === 0 ? score + prior : score));
}

/** RoCo: attention a key receives from a query that can see it, on average. */
export function visibleMean(weights: readonly number[][][]): number[] {
  return keysOf(weights).map((key) => mean(received(weights, key, 0).flat()));
}

/** RoCo: standard deviation of the attention a key receives from the queries that can see it. */
export function visibleDeviation(weights: readonly number[][][]): number[] {
  return keysOf(weights).map((key) => {
    const observed = received(weights, key, 0).flat();
    const centre = mean(observed);
    return Math.sqrt(mean(observed.map((value) => (value - centre) ** 2)));
  });
}

/**
 * SnapKV: attention a key before the window receives from the last `voters` queries, averaged over `width` neighbours,
 * zeros beyond both ends counted.
 */
export function pooledVotes(
  weights: readonly number[][][],
  { voters, window, width }: { readonly voters: number; readonly window: number; readonly width: number },
): number[] {
  const queries = weights[0]!.length;
  const votes = keysOf(weights)
    .slice(0, queries - window)
    .map((key) => mean(received(weights, key, queries - voters).map(sum)));
  const reach = (width - 1) / 2;
  return votes.map((_, key) => {
    const neighbours = Array.from({ length: width }, (_, step) => votes[key - reach + step] ?? 0);
    return sum(neighbours) / width;
  });
}
