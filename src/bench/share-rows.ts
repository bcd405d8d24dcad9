import type { CacheRows, CompressedLayer } from '../compression/compressed-layer.js';
import type { FloatPool } from '../core/float-pool.js';
import { groupBy } from '../core/group-by.js';

/** Holders whose rows are identical in every layer. */
export interface SharedRows<Holder> {
  readonly members: readonly Holder[];
  /** The rows to work on, layer by layer: copies where another group has yet to take the same. Call once. */
  take(): CacheRows[];
}

/**
 * Groups holders of compressed layers by what they hold. Rows that several groups share are copied for each but the last
 * to take them, because decoding appends to them.
 *
 * @param kind holders of different kinds are never one group
 */
export function shareRows<Holder extends { readonly layers: readonly CompressedLayer[] }>(
  holders: readonly Holder[],
  kind: (holder: Holder) => string,
  pool: FloatPool,
): SharedRows<Holder>[] {
  const numbers = new Map<CacheRows, number>();
  const numberOf = (rows: CacheRows): number => {
    const number = numbers.get(rows) ?? numbers.size;
    numbers.set(rows, number);
    return number;
  };
  const groups = groupBy(holders, (holder) =>
    [kind(holder), ...holder.layers.map(({ cache }) => numberOf(cache))].join(),
  );
  const left = new Map<CacheRows, number>();
  for (const [first] of groups.values()) {
    for (const { cache } of first!.layers) left.set(cache, (left.get(cache) ?? 0) + 1);
  }
  return [...groups.values()].map((members) => ({
    members,
    take: () =>
      members[0]!.layers.map(({ cache }) => {
        const takers = left.get(cache)!;
        left.set(cache, takers - 1);
        return takers === 1 ? cache : copied(cache, pool);
      }),
  }));
}

function copied(rows: CacheRows, pool: FloatPool): CacheRows {
  const copy = (source: Float32Array): Float32Array => {
    const target = pool.take(source.length);
    target.set(source);
    return target;
  };
  return { ...rows, keys: copy(rows.keys), values: copy(rows.values) };
}
