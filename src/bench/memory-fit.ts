import type { MethodSet } from '../compression/method-set.js';
import type { Decoding } from '../config/protocols.js';
import {
  type BackboneSize,
  estimateMemory,
  fixedBytes,
  leastBytes,
  type MemoryEstimate,
  mostBytes,
} from './memory-estimate.js';
import { isFullCell } from './plan.js';
import { cutSize, type PromptSize } from './prompt-size.js';
import type { Cell } from './record.js';

/** What decides how much memory a run needs. */
export interface MemoryRequest {
  readonly backbone: BackboneSize;
  readonly cells: readonly Cell[];
  readonly methods: MethodSet;
  /** The longest prompt. */
  readonly prompt: PromptSize;
  readonly maxNewTokens: number;
  readonly decoding: Decoding;
}

/** Whether a run fits a machine, and how. */
export type MemoryFit =
  /** Every cache of a sample stays in memory. */
  | { readonly kind: 'whole' }
  /** Caches beyond these bytes have to go to the disk, or cells to another prefill. */
  | { readonly kind: 'in parts'; readonly cacheBytes: number }
  /** Not even one cell at a time. Each of the proposals would. */
  | { readonly kind: 'too large'; readonly proposals: readonly string[] };

/** The memory of a run against what there is. */
export interface RunMemory {
  readonly prompt: PromptSize;
  readonly estimate: MemoryEstimate;
  /** Bytes that the run may take. */
  readonly limit: number;
  readonly fit: MemoryFit;
}

/** Prompts shorter than this are not worth proposing. */
const shortestProposed = 64;

/** Loaded bytes of a weight of an int4 bundle, the output matrix and the tower's of 8 bits among them. */
const int4Bytes = 0.9;

/** Compares what the longest prompt of a run needs with `limit` bytes. */
export function fitMemory(request: MemoryRequest, limit: number): RunMemory {
  const { prompt } = request;
  const estimate = estimateMemory(request);
  const found = (fit: MemoryFit): RunMemory => ({ prompt, estimate, limit, fit });
  if (mostBytes(estimate) <= limit) return found({ kind: 'whole' });
  if (leastBytes(estimate) <= limit) {
    return found({ kind: 'in parts', cacheBytes: limit - fixedBytes(estimate) });
  }
  return found({ kind: 'too large', proposals: proposalsFor(request, limit) });
}

/** Changes to a run that each make it fit. */
function proposalsFor(request: MemoryRequest, limit: number): string[] {
  const { backbone, cells, prompt } = request;
  const fits = (change: Partial<MemoryRequest>): boolean =>
    leastBytes(estimateMemory({ ...request, ...change })) <= limit;
  const proposals: string[] = [];
  const evicting = cells.filter((cell) => !isFullCell(cell));
  if (evicting.length > 0 && fits({ cells: evicting })) proposals.push('leave out method full');
  const smaller = weightCount(backbone) * int4Bytes;
  if (smaller < backbone.weights && fits({ backbone: { ...backbone, weights: smaller } })) {
    proposals.push('convert the backbone with --dtype int4');
  }
  let [low, high] = [0, prompt.text + prompt.images];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (fits({ prompt: cutSize(prompt, middle) })) low = middle;
    else high = middle;
  }
  if (low >= shortestProposed) proposals.push(`set max-context to ${low} or less`);
  return proposals;
}

/** Weights of the language model. */
function weightCount({ text }: BackboneSize): number {
  const { layers, hiddenSize, intermediateSize, heads, kvHeads, headDim, vocabSize } = text;
  const layer = 2 * (heads + kvHeads) * headDim + 3 * intermediateSize;
  return hiddenSize * (layers * layer + vocabSize);
}
