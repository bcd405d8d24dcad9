import type { CacheRows, CompressedLayer } from '../../../src/compression/compressed-layer.js';
import type { Subject } from './subjects.js';
import type { Run, World } from './world.js';

/** What every subject it applies to has to hold. */
export interface Property {
  /** A column of the matrix. */
  readonly name: string;
  /** A sentence about a subject. */
  readonly says: string;
  applies(subject: Subject): boolean;
  /** Throws where it does not hold; returns how many things it looked at. */
  check(subject: Subject, worlds: Worlds): Promise<number>;
}

/** The same scenarios on one thread and on two, and what the subjects do when they share compressors. */
export interface Worlds {
  readonly world: World;
  readonly twoThreads: World;
  readonly together: ReadonlyMap<Subject, ReadonlyMap<Run, CompressedLayer<CacheRows>>>;
}

export const always = (): boolean => true;

/** Where a check is, for messages. */
export function shown({ scenario, length, budget }: Run): string {
  return `${scenario.name}, ${length} tokens, ${JSON.stringify(budget)}`;
}

type Numbers = Float32Array | Int8Array | Int32Array;

/** Bits of an array, so that NaN equals itself and 0 is not -0. */
function bits(array: Numbers): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

export function sameBits(a: Numbers, b: Numbers): boolean {
  return bits(a).equals(bits(b));
}

/** Everything but the time, which is never the same. */
export function sameResult(a: CompressedLayer, b: CompressedLayer): boolean {
  return (
    JSON.stringify([a.outcome, a.nominal, a.remark]) === JSON.stringify([b.outcome, b.nominal, b.remark]) &&
    a.cache.rows === b.cache.rows &&
    a.cache.capacity === b.cache.capacity &&
    sameBits(a.cache.kept, b.cache.kept) &&
    sameBits(a.cache.keys, b.cache.keys) &&
    sameBits(a.cache.values, b.cache.values)
  );
}
