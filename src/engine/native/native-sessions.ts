import { setImmediate } from 'node:timers/promises';
import { invariant } from '../../core/errors.js';
import { floats, int32s } from '../runtime.js';
import {
  configEntries,
  type Feeds,
  isPersistent,
  type RunOptions,
  type Session,
  type SessionHost,
  type Tensor,
} from '../sessions.js';
import { elementTypes, type Memory, type NamedTensors, type OrtApi, type Pointer } from './ort-api.js';

/** Milliseconds of runs after which timers, signals and other threads get their turn: a run blocks all of them. */
const longestWithoutTurn = 25;

/** More than any graph has inputs or outputs. */
const mostTensors = 64;

/**
 * Sessions through the C API of ONNX Runtime: runs write outputs where they are told to, in place over an input where
 * the operator allows it, and cost a fraction of what they cost through onnxruntime-node.
 */
export function nativeSessions(api: OrtApi): SessionHost {
  const names = new NameTable(api);
  const handles = new TensorHandles(api);
  const [inputs, outputs] = [new Arguments(), new Arguments()];
  let lastTurn = performance.now();
  const takeTurn = async (): Promise<void> => {
    if (performance.now() - lastTurn < longestWithoutTurn) return;
    await setImmediate();
    lastTurn = performance.now();
  };
  return {
    kind: 'native',
    device: 'cpu',
    async open(model, options) {
      await takeTurn();
      const session = api.createSession(model, { ...options, config: configEntries(options) });
      return new NativeSession(api, session, { names, handles, inputs, outputs, takeTurn });
    },
  };
}

/** What the sessions of a host share; a run has the arguments to itself, because nothing interrupts it. */
interface Shared {
  readonly names: NameTable;
  readonly handles: TensorHandles;
  readonly inputs: Arguments;
  readonly outputs: Arguments;
  readonly takeTurn: () => Promise<void>;
}

class NativeSession implements Session {
  readonly #api: OrtApi;
  readonly #session: Pointer;
  readonly #shared: Shared;
  readonly #outputs: readonly string[];
  #released = false;

  constructor(api: OrtApi, session: Pointer, shared: Shared) {
    this.#api = api;
    this.#session = session;
    this.#shared = shared;
    this.#outputs = api.outputNames(session);
  }

  async run(feeds: Feeds, options: RunOptions): Promise<Feeds> {
    const results = this.#run(feeds, options);
    await this.#shared.takeTurn();
    return results;
  }

  async release(): Promise<void> {
    if (!this.#released) this.#api.releaseSession(this.#session);
    this.#released = true;
  }

  #run(feeds: Feeds, { outputs: wanted = this.#outputs, into = {} }: RunOptions): Feeds {
    invariant(!this.#released, 'a released session is run');
    const { names, handles, inputs, outputs } = this.#shared;
    inputs.count = 0;
    outputs.count = 0;
    try {
      for (const name in feeds) inputs.add(names.address(name), handles.take(feeds[name]!));
      for (const name of wanted) {
        const target = into[name];
        outputs.add(names.address(name), target === undefined ? 0n : handles.take(target));
      }
      this.#api.run(this.#session, inputs, outputs);
      const results: Record<string, Tensor> = {};
      for (const [i, name] of wanted.entries()) {
        results[name] = into[name] ?? this.#read(outputs.tensors[i]!);
      }
      return results;
    } finally {
      handles.giveBack();
    }
  }

  /** Copies an output that ONNX Runtime made, and releases it. */
  #read(output: Pointer): Tensor {
    try {
      const { data, dims } = this.#api.readTensor(output);
      return data instanceof Float32Array ? floats(data, dims) : int32s(data, dims);
    } finally {
      this.#api.releaseTensor(output);
    }
  }
}

/** Inputs or outputs of a run. */
class Arguments implements NamedTensors {
  readonly names = new BigUint64Array(mostTensors);
  readonly tensors = new BigUint64Array(mostTensors);
  count = 0;

  add(name: Pointer, tensor: Pointer): void {
    invariant(this.count < mostTensors, 'a graph has too many inputs or outputs');
    this.names[this.count] = name;
    this.tensors[this.count++] = tensor;
  }
}

/** Names as zero-terminated text at addresses that last. */
class NameTable {
  readonly #api: OrtApi;
  readonly #known = new Map<string, { readonly text: Uint8Array; readonly address: Pointer }>();

  constructor(api: OrtApi) {
    this.#api = api;
  }

  address(name: string): Pointer {
    let entry = this.#known.get(name);
    if (entry === undefined) {
      const text = new TextEncoder().encode(`${name}\0`);
      entry = { text, address: this.#api.addressOf(text) };
      this.#known.set(name, entry);
    }
    return entry.address;
  }
}

/**
 * ONNX Runtime's handles of tensors over JavaScript memory. Those of persistent tensors live as long as the tensor; those
 * of others are given back after the run. A handle never owns the memory, and a tensor keeps its own alive.
 */
class TensorHandles {
  readonly #api: OrtApi;
  readonly #lasting = new WeakMap<Tensor, Pointer>();
  readonly #registry: FinalizationRegistry<Pointer>;
  /** Of the run in progress, with the memory that must not be collected before it ends. */
  readonly #passing: { readonly handle: Pointer; readonly data: Memory }[] = [];

  constructor(api: OrtApi) {
    this.#api = api;
    this.#registry = new FinalizationRegistry((handle) => api.releaseTensor(handle));
  }

  take(tensor: Tensor): Pointer {
    const known = this.#lasting.get(tensor);
    if (known !== undefined) return known;
    const { data, dims, type } = tensor;
    invariant(
      type === 'float32' || type === 'int8' || type === 'int32' || type === 'int64',
      `tensors of ${type} are not passed`,
    );
    invariant(
      data instanceof Float32Array ||
        data instanceof Int8Array ||
        data instanceof Int32Array ||
        data instanceof BigInt64Array,
      `a tensor of ${type} has data of another type`,
    );
    const handle = this.#api.createTensor(data, dims, elementTypes[type]);
    if (isPersistent(tensor)) {
      this.#lasting.set(tensor, handle);
      this.#registry.register(tensor, handle);
    } else {
      this.#passing.push({ handle, data });
    }
    return handle;
  }

  giveBack(): void {
    for (const { handle } of this.#passing) this.#api.releaseTensor(handle);
    this.#passing.length = 0;
  }
}
