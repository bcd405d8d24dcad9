import * as ort from 'onnxruntime-node';
import { invariant, messageOf, UserError } from '../core/errors.js';
import { spinning } from './spinning.js';

export type Tensor = ort.Tensor;
export type Feeds = Readonly<Record<string, Tensor>>;

/** The one version whose operators, copies and threading were measured; other versions may answer differently. */
export const requiredRuntimeVersion = '1.30.0';

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

export function int32s(values: readonly number[], dims: readonly number[]): Tensor {
  return new ort.Tensor('int32', Int32Array.from(values), dims);
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

export interface GraphOptions {
  /** Where other than the runtime's: a graph of little work loses more to handing it out than it gains. */
  readonly threads?: number;
  /**
   * Whether the graph keeps the memory of its intermediates from run to run, which is what many megabytes of them need to
   * be fast. One of many graphs should give it back.
   */
  readonly keepsWorkspace?: boolean;
  /**
   * Whether weights stay pages of their file, which the system may drop and read again, rather than being rearranged in
   * memory. For float32 only: without rearranging, products with quantised weights are a hundred times slower.
   */
  readonly mapsWeights?: boolean;
}

/** One loaded ONNX graph. */
export interface Graph {
  /** Runs the graph for the named outputs (all of them by default); others are not copied out. */
  run(feeds: Feeds, outputs?: readonly string[]): Promise<Readonly<Record<string, Tensor>>>;
}

/**
 * Owner of ONNX Runtime sessions: opens them with the options that measured best, counts the time spent in
 * them and releases them.
 */
export class Runtime {
  readonly threads: number;
  readonly #sessions = new Set<ort.InferenceSession>();
  #milliseconds = 0;

  constructor(options: { threads: number }) {
    const version = ort.env.versions.node;
    if (version !== requiredRuntimeVersion) {
      throw new UserError({
        what: `onnxruntime-node ${version ?? '(unknown version)'} is installed, ${requiredRuntimeVersion} is required`,
        fix: 'run npm ci in the lookm directory',
      });
    }
    this.threads = options.threads;
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
  async open(
    model: Uint8Array | string,
    { threads = this.threads, keepsWorkspace = true, mapsWeights = false }: GraphOptions = {},
  ): Promise<Graph> {
    const options: ort.InferenceSession.SessionOptions = {
      executionProviders: ['cpu'],
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      enableCpuMemArena: keepsWorkspace,
      logSeverityLevel: 4,
      extra: {
        session: {
          intra_op: spinning,
          ...(mapsWeights ? { disable_prepacking: '1' } : {}),
        },
      },
    };
    let session: ort.InferenceSession;
    const start = performance.now();
    try {
      session =
        typeof model === 'string'
          ? await ort.InferenceSession.create(model, options)
          : await ort.InferenceSession.create(model, options);
    } catch (error) {
      throw new UserError(
        {
          what: `ONNX Runtime cannot load the graph: ${messageOf(error)}`,
          ...(typeof model === 'string' ? { where: model } : {}),
          fix: 'convert the checkpoint again; `lookm doctor` checks the runtime',
        },
        { cause: error },
      );
    }
    this.#milliseconds += performance.now() - start;
    this.#sessions.add(session);
    return {
      run: async (feeds, outputs) => {
        const start = performance.now();
        try {
          return outputs === undefined ? await session.run(feeds) : await session.run(feeds, outputs);
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
