import type { CacheBuffers } from '../core/cache-buffers.js';
import { invariant } from '../core/errors.js';
import type { FloatPool } from '../core/float-pool.js';

/** Joins numbers of several sequences in an array of `make`; a single one's stay where they are. */
function joined<Numbers extends Float32Array | Int8Array>(
  parts: readonly Numbers[],
  make: (length: number) => Numbers,
): Numbers {
  const [first] = parts;
  invariant(first !== undefined, 'no sequences are joined');
  if (parts.length === 1) return first;
  const all = make(parts.length * first.length);
  for (const [i, part] of parts.entries()) all.set(part, i * first.length);
  return all;
}

/**
 * Puts the buffers of sequences of one element type and capacity behind each other: [sequences, heads, capacity, headDim].
 * What several gave up goes to the pool.
 */
export function joinBuffers(members: readonly CacheBuffers[], pool: FloatPool): CacheBuffers {
  const floats = members.flatMap((member) => (member.type === 'float32' ? [member] : []));
  const int8s = members.flatMap((member) => (member.type === 'int8' ? [member] : []));
  const takeFloats = (length: number): Float32Array => pool.take(length);
  const takeInt8s = (length: number): Int8Array => pool.takeInt8(length);
  const takeScales = (length: number): Float32Array => new Float32Array(length);
  const all: CacheBuffers =
    int8s.length === 0
      ? {
          type: 'float32',
          keys: joined(
            floats.map(({ keys }) => keys),
            takeFloats,
          ),
          values: joined(
            floats.map(({ values }) => values),
            takeFloats,
          ),
        }
      : {
          type: 'int8',
          keys: joined(
            int8s.map(({ keys }) => keys),
            takeInt8s,
          ),
          values: joined(
            int8s.map(({ values }) => values),
            takeInt8s,
          ),
          scales: {
            keys: joined(
              int8s.map(({ scales }) => scales.keys),
              takeScales,
            ),
            values: joined(
              int8s.map(({ scales }) => scales.values),
              takeScales,
            ),
          },
        };
  if (members.length > 1) {
    for (const { keys, values } of members) {
      pool.give(keys);
      pool.give(values);
    }
  }
  return all;
}
