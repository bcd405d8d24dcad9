/**
 * Does `work` for every item, at most `limit` at a time, started in order. After a failure nothing more is started, and
 * the first failure is thrown once everything that was under way has ended.
 */
export async function eachConcurrently<Item>(
  items: Iterable<Item>,
  { limit, work }: { readonly limit: number; readonly work: (item: Item) => Promise<void> },
): Promise<void> {
  const rest = items[Symbol.iterator]();
  const failures: unknown[] = [];
  const takeTurns = async (): Promise<void> => {
    for (let next = rest.next(); next.done !== true && failures.length === 0; next = rest.next()) {
      await work(next.value).catch((failure: unknown) => failures.push(failure));
    }
  };
  await Promise.all(Array.from({ length: limit }, takeTurns));
  if (failures.length > 0) throw failures[0];
}
