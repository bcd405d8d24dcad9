/** ln of the binomial coefficient n over k. */
function logChoose(n: number, k: number): number {
  let log = 0;
  for (let i = 1; i <= k; i++) log += Math.log((n - k + i) / i);
  return log;
}

/**
 * Exact two-sided p of McNemar's test (1947): the chance, if either side is as likely, that `better` + `worse`
 * discordant pairs fall at least as unevenly as they did, twice the binomial tail (not mid-p) and at most 1.
 * 1 without discordant pairs.
 */
export function mcnemarExact({ better, worse }: { readonly better: number; readonly worse: number }): number {
  const pairs = better + worse;
  const fewer = Math.min(better, worse);
  if (better === worse) return 1;
  let relative = 1;
  let tail = 0;
  for (let k = fewer; k >= 0; k--) {
    tail += relative;
    relative *= k / (pairs - k + 1);
  }
  return Math.min(1, 2 * tail * Math.exp(logChoose(pairs, fewer) - pairs * Math.LN2));
}
