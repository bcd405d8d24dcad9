/** One prefill of a sample: cells, by number, and those among them whose caches lie in a file until they decode. */
export interface CachePass {
  readonly cells: readonly number[];
  readonly spilled: ReadonlySet<number>;
}

/**
 * Where the caches of a sample's cells are kept between prefill and decoding. `spill`: some in a temporary file;
 * `groups`: in memory, but of some cells at a time, each group prefilled anew.
 */
export interface CachePlan {
  readonly kind: 'memory' | 'spill' | 'groups';
  readonly passes: readonly CachePass[];
}

/** What the choice depends on; bytes and milliseconds. */
export interface CacheCosts {
  /** What the cache of every cell takes. */
  readonly sizes: readonly number[];
  /** What all caches in memory may take. */
  readonly limit: number;
  /** What may be written to the temporary file. */
  readonly freeDisk: number;
  /** To write a byte to the file and read it back. */
  readonly millisecondsPerByte: number;
  /** Of another prefill. */
  readonly prefillMilliseconds: number;
}

/** Everything in memory at once. */
export function inMemory(cells: number): CachePlan {
  return { kind: 'memory', passes: [{ cells: [...Array(cells).keys()], spilled: new Set() }] };
}

/**
 * The cheapest plan whose caches fit: all of them in memory, or what takes less time of moving some through a file and
 * prefilling again. Answers are the same under each.
 *
 * @returns null when the largest cache alone does not fit
 */
export function planCaches(costs: CacheCosts): CachePlan | null {
  const { sizes, limit, freeDisk } = costs;
  if (sum(sizes) <= limit) return inMemory(sizes.length);
  if (sizes.some((size) => size > limit)) return null;
  const groups = groupsWithin(sizes, limit);
  const resident = new Set(residentCells(sizes, limit));
  const spilled = [...sizes.keys()].filter((cell) => !resident.has(cell));
  const spilledBytes = sum(spilled.map((cell) => sizes[cell]!));
  const spillTime = spilledBytes * costs.millisecondsPerByte;
  const groupTime = (groups.length - 1) * costs.prefillMilliseconds;
  if (spilledBytes <= freeDisk && spillTime <= groupTime) {
    return { kind: 'spill', passes: [{ cells: [...sizes.keys()], spilled: new Set(spilled) }] };
  }
  return { kind: 'groups', passes: groups.map((cells) => ({ cells, spilled: new Set() })) };
}

/** As few groups as first-fit decreasing finds, each within the limit; cells in their order. */
function groupsWithin(sizes: readonly number[], limit: number): number[][] {
  const groups: { readonly cells: number[]; free: number }[] = [];
  for (const cell of largestFirst(sizes)) {
    const size = sizes[cell]!;
    let group = groups.find(({ free }) => free >= size);
    if (group === undefined) {
      group = { cells: [], free: limit };
      groups.push(group);
    }
    group.cells.push(cell);
    group.free -= size;
  }
  return groups.map(({ cells }) => cells.sort((a, b) => a - b));
}

/** Cells to keep in memory, so that little is left to write: the largest that fit. */
function residentCells(sizes: readonly number[], limit: number): number[] {
  let free = limit;
  return largestFirst(sizes).filter((cell) => {
    if (sizes[cell]! > free) return false;
    free -= sizes[cell]!;
    return true;
  });
}

function largestFirst(sizes: readonly number[]): number[] {
  return [...sizes.keys()].sort((a, b) => sizes[b]! - sizes[a]! || a - b);
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
