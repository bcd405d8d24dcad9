import { median, medianAbsoluteDeviation } from '../core/median.js';

/** What a run gets through, for rates. */
export interface Work {
  readonly unit: 'GB/s' | 'GFLOP/s';
  /** In billions. */
  readonly amount: number;
}

export interface Contender {
  readonly name: string;
  readonly run: () => Promise<unknown>;
  /** What `run` gives is the time that counts, in milliseconds: where not all of a run does. */
  readonly timesItself?: true;
  /** Names of contenders of which the fastest one of a round is what it is compared with. */
  readonly beside?: readonly string[];
  readonly work?: Work;
  /** Names of contenders of which the one with the highest rate is the limit of this one's. */
  readonly limits?: readonly string[];
  /** Equal parts of a run, for the time of one. */
  readonly parts?: { readonly count: number; readonly name: string };
}

export interface Timing {
  readonly name: string;
  /** Milliseconds. */
  readonly median: number;
  readonly mad: number;
  readonly fastest: number;
  readonly rounds: number;
  /** Over the rounds: the time over that of what it is compared with. */
  readonly ratio: ({ readonly to: readonly string[] } & Spread) | null;
  /** Work in the median time. */
  readonly rate: { readonly unit: Work['unit']; readonly value: number } | null;
  /** Over the rounds: the rate over the highest one of its limits. */
  readonly share: Spread | null;
  /** Milliseconds of a part of the median run. */
  readonly part: { readonly name: string; readonly median: number } | null;
}

interface Spread {
  readonly median: number;
  readonly mad: number;
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
      const { run, timesItself } = contenders[index]!;
      const given = await run();
      times[index]!.push(timesItself ? Number(given) : performance.now() - start);
    }
  }
  return summarise(contenders, times);
}

/** Statistics of times measured round by round: [contender, round], milliseconds. */
export function summarise(
  contenders: readonly Omit<Contender, 'run'>[],
  times: readonly (readonly number[])[],
): Timing[] {
  const indexOf = (name: string): number => contenders.findIndex((one) => one.name === name);
  return contenders.map((contender, index) => {
    const { name, beside, work, limits, parts } = contender;
    const runs = times[index]!;
    const middle = median(runs);
    const ratiosTo = (others: readonly string[]): number[] =>
      runs.map((time, round) => time / Math.min(...others.map((other) => times[indexOf(other)]![round]!)));
    const rateOf = (which: number, round: number): number =>
      (1000 * (contenders[which]?.work?.amount ?? 0)) / times[which]![round]!;
    const shares =
      limits &&
      runs.map((_, round) => {
        const highest = Math.max(...limits.map((limit) => rateOf(indexOf(limit), round)));
        return rateOf(index, round) / highest;
      });
    return {
      name,
      median: middle,
      mad: medianAbsoluteDeviation(runs),
      fastest: Math.min(...runs),
      rounds: runs.length,
      ratio: beside === undefined ? null : { to: beside, ...spread(ratiosTo(beside)) },
      rate: work === undefined ? null : { unit: work.unit, value: (1000 * work.amount) / middle },
      share: shares === undefined ? null : spread(shares),
      part: parts === undefined ? null : { name: parts.name, median: middle / parts.count },
    };
  });
}

function spread(values: readonly number[]): Spread {
  return { median: median(values), mad: medianAbsoluteDeviation(values) };
}
