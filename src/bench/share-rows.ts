import { groupBy } from '../core/group-by.js';
import type { RowStore, StoredRows, TakenRows } from './row-store.js';

/** Holders whose rows are identical in every layer. */
export interface SharedRows<Holder> {
  readonly members: readonly Holder[];
  /** The rows of a layer to work on, which are nobody else's. Call once a layer. */
  take(layer: number): Promise<TakenRows>;
}

/**
 * Groups holders of compressed layers by what they hold. Rows that several groups share stay in the store until the last
 * of them takes them, because decoding appends to what it takes.
 *
 * @param kind holders of different kinds are never one group
 */
export function shareRows<Holder extends { readonly layers: readonly { readonly cache: StoredRows }[] }>(
  holders: readonly Holder[],
  kind: (holder: Holder) => string,
  store: RowStore,
): SharedRows<Holder>[] {
  const numbers = new Map<StoredRows, number>();
  const numberOf = (rows: StoredRows): number => {
    const number = numbers.get(rows) ?? numbers.size;
    numbers.set(rows, number);
    return number;
  };
  const groups = groupBy(holders, (holder) =>
    [kind(holder), ...holder.layers.map(({ cache }) => numberOf(cache))].join(),
  );
  const left = new Map<StoredRows, number>();
  for (const [first] of groups.values()) {
    for (const { cache } of first!.layers) left.set(cache, (left.get(cache) ?? 0) + 1);
  }
  return [...groups.values()].map((members) => ({
    members,
    take: (layer) => {
      const { cache } = members[0]!.layers[layer]!;
      const takers = left.get(cache)!;
      left.set(cache, takers - 1);
      return store.take(cache, takers > 1);
    },
  }));
}
