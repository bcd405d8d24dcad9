import type { ChunkStatistics } from './attention-recorder.js';
import { copyColumns } from './copy-columns.js';
import type {
  AttentionShape,
  PrefillAttention,
  PrefillAttentionResult,
  PrefillChunk,
} from './prefill-chunk.js';
import { floatData, floats, type Tensor } from './runtime.js';

/** Weights, heads x queries x keys, that a run computes at most; kernels hold them twice: 64 MiB each. */
const mostWeights = 16 * 2 ** 20;

/**
 * Key/value heads of one run: as many as `mostWeights` allows, but no fewer than keep the threads busy, which share the
 * heads out. A divisor of all heads, so that runs are alike.
 */
export function headsPerRun(
  { heads, kvHeads }: Pick<AttentionShape, 'heads' | 'kvHeads'>,
  { queries, keys, threads }: { readonly queries: number; readonly keys: number; readonly threads: number },
): number {
  const group = heads / kvHeads;
  const fitting = mostWeights / (queries * keys * group);
  const divisors = Array.from({ length: kvHeads }, (_, i) => i + 1).filter((count) => kvHeads % count === 0);
  const busy = divisors.filter((count) => count * group >= Math.min(threads, heads));
  return busy.findLast((count) => count <= fitting) ?? busy[0]!;
}

/**
 * Attention in several runs of some heads each, so that its memory does not grow with heads times keys. The results are
 * those of one run to the bit, because heads have nothing to do with each other.
 *
 * @param attend attention for `part` of the heads
 */
export function attentionInRuns(
  attend: PrefillAttention,
  shape: AttentionShape,
  part: AttentionShape,
): PrefillAttention {
  return part.kvHeads === shape.kvHeads ? attend : (chunk) => runParts(attend, chunk, shape, part);
}

async function runParts(
  attend: PrefillAttention,
  chunk: PrefillChunk,
  { heads, kvHeads, headDim }: AttentionShape,
  part: AttentionShape,
): Promise<PrefillAttentionResult> {
  const { count, capacity, keys, values } = chunk;
  const query = partOf(chunk.query, count, heads * headDim, part.heads * headDim);
  const key = partOf(chunk.key, count, kvHeads * headDim, part.kvHeads * headDim);
  const value = partOf(chunk.value, count, kvHeads * headDim, part.kvHeads * headDim);
  const attention = new Float32Array(count * heads * headDim);
  const statistics: ChunkStatistics[] = [];
  const rows = part.kvHeads * capacity * headDim;
  for (let run = 0; run < kvHeads / part.kvHeads; run++) {
    const result = await attend({
      ...chunk,
      query: query(run),
      key: key(run),
      value: value(run),
      keys: keys.subarray(run * rows, (run + 1) * rows),
      values: values.subarray(run * rows, (run + 1) * rows),
    });
    const width = part.heads * headDim;
    const attended = { data: floatData(result.attention), width, first: 0 };
    copyColumns({ data: attention, width: heads * headDim, first: run * width }, attended, count, width);
    statistics.push(result.statistics);
  }
  return { attention: floats(attention, [1, count, heads * headDim]), statistics: joined(statistics) };
}

/** Gives the columns of a run of a tensor [1, count, width], in one buffer for all runs. */
function partOf(tensor: Tensor, count: number, width: number, own: number): (run: number) => Tensor {
  const data = new Float32Array(count * own);
  const source = floatData(tensor);
  return (run) => {
    copyColumns({ data, width: own, first: 0 }, { data: source, width, first: run * own }, count, own);
    return floats(data, [1, count, own]);
  };
}

/** All statistics have heads as their first dimension. */
function joined(parts: readonly ChunkStatistics[]): ChunkStatistics {
  const { end, windows } = parts[0]!;
  const of = (data: (part: ChunkStatistics) => Float32Array | null): Float32Array | null => {
    const arrays = parts.flatMap((part) => data(part) ?? []);
    if (arrays.length === 0) return null;
    const all = new Float32Array(arrays.reduce((length, array) => length + array.length, 0));
    let next = 0;
    for (const array of arrays) {
      all.set(array, next);
      next += array.length;
    }
    return all;
  };
  return {
    end,
    windows,
    sums: of(({ sums }) => sums)!,
    squares: of(({ squares }) => squares),
    windowSums: of(({ windowSums }) => windowSums),
  };
}
