import { median, medianAbsoluteDeviation } from '../core/median.js';

export interface Contender {
  readonly name: string;
  readonly run: () => Promise<void>;
  /** Name of the contender it is compared with. */
  readonly beside?: string;
}

export interface Timing {
  readonly name: string;
  /** Milliseconds. */
  readonly median: number;
  readonly mad: number;
  readonly fastest: number;
  readonly rounds: number;
  /** Median over the rounds of the time over that of the contender it is compared with. */
  readonly ratio: { readonly to: string; readonly median: number } | null;
}

/**
 * Times contenders in turn, one run each a round, starting one later every round, so that drift of a noisy
 * machine falls on all alike. Compare the results as ratios within one call only.
 */
export async function timeInterleaved(contenders: readonly Contender[], rounds: number): Promise<Timing[]> {
  const times = contenders.map((): number[] => []);
  for (const contender of contenders) await contender.run();
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (round + turn) % contenders.length;
      const start = performance.now();
      await contenders[index]!.run();
      times[index]!.push(performance.now() - start);
    }
  }
  return contenders.map(({ name, beside }, index) => {
    const runs = times[index]!;
    const base = times[contenders.findIndex((one) => one.name === beside)];
    return {
      name,
      median: median(runs),
      mad: medianAbsoluteDeviation(runs),
      fastest: Math.min(...runs),
      rounds,
      ratio:
        beside === undefined || base === undefined
          ? null
          : { to: beside, median: median(runs.map((time, round) => time / base[round]!)) },
    };
  });
}
