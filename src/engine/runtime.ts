import * as ort from 'onnxruntime-node';
import { invariant, messageOf, UserError } from '../core/errors.js';
import type { Device } from './devices.js';
import { portableSessions } from './portable-sessions.js';
import type { Feeds, RunOptions, Session, SessionHost, SessionOptions, Tensor } from './sessions.js';

export type { Tensor } from './sessions.js';

/** A float32 tensor over JavaScript memory; the data is not copied. */
export function floats(data: Float32Array, dims: readonly number[]): Tensor {
  return new ort.Tensor('float32', data, dims);
}

/** Small integers as int64; written as pairs of words, because a BigInt a value would be garbage a value. */
export function int64s(values: readonly number[], dims: readonly number[]): Tensor {
  const words = new Int32Array(2 * values.length);
  for (let i = 0; i < values.length; i++) {
    words[2 * i] = values[i]!;
    words[2 * i + 1] = values[i]! < 0 ? -1 : 0;
  }
  return new ort.Tensor('int64', new BigInt64Array(words.buffer), dims);
}

/** An int8 tensor; the data is not copied. */
export function int8s(data: Int8Array, dims: readonly number[]): Tensor {
  return new ort.Tensor('int8', data, dims);
}

/** An int32 tensor; the data of an Int32Array is not copied. */
export function int32s(values: readonly number[] | Int32Array, dims: readonly number[]): Tensor {
  return new ort.Tensor('int32', values instanceof Int32Array ? values : Int32Array.from(values), dims);
}

/** The data of a float32 tensor. */
export function floatData(tensor: Tensor): Float32Array {
  invariant(tensor.data instanceof Float32Array, `expected a float32 tensor, got ${tensor.type}`);
  return tensor.data;
}

/** The data of an int32 tensor. */
export function int32Data(tensor: Tensor): Int32Array {
  invariant(tensor.data instanceof Int32Array, `expected an int32 tensor, got ${tensor.type}`);
  return tensor.data;
}

/** How a graph is opened; by default with the runtime's threads, its workspace kept, on the CPU. */
export type GraphOptions = Partial<SessionOptions>;

/** One loaded ONNX graph. */
export interface Graph {
  run(feeds: Feeds, options?: RunOptions): Promise<Feeds>;
}

/**
 * Owner of ONNX Runtime sessions: opens them with the options that measured best, counts the time spent in
 * them and releases them.
 */
export class Runtime {
  readonly threads: number;
  /** How runs are made, which decides the attention kernels. */
  readonly kind: SessionHost['kind'];
  readonly device: Device;
  readonly #processors: readonly number[] | null;
  readonly #host: SessionHost;
  readonly #sessions = new Set<Session>();
  #milliseconds = 0;

  /**
   * @param options.processors of the threads, the main one's first; `null` = where the system puts them
   * @throws UserError when the installed runtime is not the one that is required
   */
  constructor({
    threads,
    host = portableSessions('cpu'),
    processors = null,
  }: {
    readonly threads: number;
    readonly host?: SessionHost;
    readonly processors?: readonly number[] | null;
  }) {
    this.threads = threads;
    this.#processors = processors;
    this.kind = host.kind;
    this.device = host.device;
    this.#host = host;
  }

  /** Milliseconds spent inside ONNX Runtime so far, loading graphs included. */
  get milliseconds(): number {
    return this.#milliseconds;
  }

  /** Sessions opened and not yet released. */
  get openSessions(): number {
    return this.#sessions.size;
  }

  /**
   * @param model a serialised graph, or the path of one (external weights lie next to it)
   * @throws UserError when ONNX Runtime cannot load the graph
   */
  async open(model: Uint8Array | string, options: GraphOptions = {}): Promise<Graph> {
    const start = performance.now();
    const session = await this.#host
      .open(model, {
        ...{ threads: this.threads, keepsWorkspace: true, mapsWeights: false, onDevice: false },
        processors: this.#processors,
        ...options,
      })
      .catch((cause: unknown) => {
        const what = `ONNX Runtime cannot load the graph: ${messageOf(cause)}`;
        const where = typeof model === 'string' ? { where: model } : {};
        const fix = 'convert the checkpoint again; `lookm doctor` checks the runtime';
        throw new UserError({ what, ...where, fix }, { cause });
      });
    this.#milliseconds += performance.now() - start;
    this.#sessions.add(session);
    return {
      run: async (feeds, options = {}) => {
        const start = performance.now();
        try {
          return await session.run(feeds, options);
        } finally {
          this.#milliseconds += performance.now() - start;
        }
      },
    };
  }

  /** Releases every session; the runtime can be used again afterwards. */
  async close(): Promise<void> {
    const sessions = [...this.#sessions];
    this.#sessions.clear();
    for (const session of sessions) await session.release();
  }
}
