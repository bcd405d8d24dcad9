import type * as ort from 'onnxruntime-node';
import type { Device } from './devices.js';
import { spinning } from './spinning.js';

export type Tensor = ort.Tensor;
export type Feeds = Readonly<Record<string, Tensor>>;

export interface RunOptions {
  /** Outputs to compute; all of them by default. */
  readonly outputs?: readonly string[];
  /**
   * Tensors that outputs may be written to, so that nothing is allocated or copied; one may be an input too where the
   * operator allows it. The result holds what was written, which is another tensor where sessions cannot do that.
   */
  readonly into?: Feeds;
}

export interface SessionOptions {
  /** Fewer than elsewhere for a graph of little work, which loses more to handing it out than it gains. */
  readonly threads: number;
  /**
   * Whether the graph keeps the memory of its intermediates from run to run, which is what many megabytes of them need to
   * be fast. One of many graphs should give it back.
   */
  readonly keepsWorkspace: boolean;
  /**
   * Whether weights stay pages of their file, which the system may drop and read again, rather than being rearranged in
   * memory. For float32 only: without rearranging, products with quantised weights are a hundred times slower.
   */
  readonly mapsWeights: boolean;
  /** Whether the host's device computes the graph, or the CPU. */
  readonly onDevice: boolean;
  /** Logical processors of the threads, the caller's first; `null` = where the system puts them. */
  readonly processors: readonly number[] | null;
}

/** Entries of a session's configuration. */
export function configEntries({
  mapsWeights,
  threads,
  processors,
}: SessionOptions): Readonly<Record<string, string>> {
  // One entry for every thread but the caller's; processors count from 1.
  const own = processors?.slice(1, threads).map((processor) => String(processor + 1)) ?? [];
  return {
    ...spinning,
    ...(mapsWeights ? { 'session.disable_prepacking': '1' } : {}),
    ...(own.length > 0 ? { 'session.intra_op_thread_affinities': own.join(';') } : {}),
  };
}

/** One loaded graph. */
export interface Session {
  run(feeds: Feeds, options: RunOptions): Promise<Feeds>;
  release(): Promise<void>;
}

/** One way to ONNX Runtime's sessions. */
export interface SessionHost {
  /** `native`: outputs are written where `into` says. */
  readonly kind: 'portable' | 'native';
  readonly device: Device;
  /** @param model a serialised graph, or the path of one (external weights lie next to it) */
  open(model: Uint8Array | string, options: SessionOptions): Promise<Session>;
}

const persistent = new WeakSet<Tensor>();

/**
 * Marks a tensor as one of many runs: native sessions then keep their handle of it, for as long as it lives. Not worth
 * it for a tensor of one run, whose memory would live until the next full garbage collection.
 */
export function persist(tensor: Tensor): Tensor {
  persistent.add(tensor);
  return tensor;
}

export function isPersistent(tensor: Tensor): boolean {
  return persistent.has(tensor);
}
