import { collectGarbage } from '../core/collect-garbage.js';
import { roundedToMicroseconds } from '../core/milliseconds.js';
import type { DecodedBlock } from './decode-block.js';
import type { LatencyBlock } from './latency-record.js';
import { turnsOf } from './turns.js';

/** Whoever takes a turn in every repeat: a cell, or the reading of memory. */
export type Contender<Result> = () => Promise<Result>;

/**
 * Lets contenders take turns, as many repeats as asked for. Garbage is collected before each turn, so that nobody pays for
 * that of another.
 *
 * @returns [contender][repeat]: what its turn gave, and when in the repeat it came
 */
export async function takeTurns<Result>(
  contenders: readonly Contender<Result>[],
  repeats: number,
): Promise<{ readonly turn: number; readonly result: Result }[][]> {
  const results = contenders.map((): { turn: number; result: Result }[] => []);
  for (let repeat = 0; repeat < repeats; repeat++) {
    for (const [turn, contender] of turnsOf(repeat, contenders.length).entries()) {
      collectGarbage();
      results[contender]!.push({ turn, result: await contenders[contender]!() });
    }
  }
  return results;
}

/** A turn as records keep it: its first steps are warm-up. */
export function blockOf({ steps, runtime }: DecodedBlock, turn: number, warmUp: number): LatencyBlock {
  return {
    turn,
    warmUp: steps.slice(0, warmUp).map(roundedToMicroseconds),
    steps: steps.slice(warmUp).map(roundedToMicroseconds),
    runtime: runtime.slice(warmUp).map(roundedToMicroseconds),
  };
}
