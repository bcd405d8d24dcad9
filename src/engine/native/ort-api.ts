import type * as Koffi from 'koffi';

/** Address of something that ONNX Runtime owns. */
export type Pointer = bigint;

/** Memory of JavaScript that ONNX Runtime reads or writes during a call; it must outlive what is made of it. */
export type Memory = Float32Array | Int8Array | Int32Array | BigInt64Array;

/** ONNX codes of the element types that graphs here take and give. */
export const elementTypes = Object.freeze({ float32: 1, int8: 3, int32: 6, int64: 7 });

export interface NativeSessionOptions {
  readonly threads: number;
  readonly keepsWorkspace: boolean;
  /** Entries such as `session.intra_op.allow_spinning`. */
  readonly config: Readonly<Record<string, string>>;
}

/** What is used of ONNX Runtime's C API. Every function throws an Error with its message when a call fails. */
export interface OrtApi {
  createSession(model: Uint8Array | string, options: NativeSessionOptions): Pointer;
  outputNames(session: Pointer): string[];
  releaseSession(session: Pointer): void;
  /** A tensor over the memory given, which is not copied. */
  createTensor(data: Memory, dims: readonly number[], elementType: number): Pointer;
  /** Type, shape and a copy of the data of a tensor that ONNX Runtime made. */
  readTensor(tensor: Pointer): { readonly data: Float32Array | Int32Array; readonly dims: number[] };
  releaseTensor(tensor: Pointer): void;
  /**
   * Runs a graph. The arrays hold addresses: of zero-terminated names, and of tensors; an output of 0 is made by ONNX
   * Runtime and must be released.
   */
  run(session: Pointer, inputs: NamedTensors, outputs: NamedTensors): void;
  /** The address of memory, which does not move. */
  addressOf(data: Uint8Array): Pointer;
}

export interface NamedTensors {
  readonly count: number;
  readonly names: BigUint64Array;
  readonly tensors: BigUint64Array;
}

/** Positions of functions in `struct OrtApi`, which later versions only append to, and their parameters. */
const functions = Object.freeze({
  CreateEnv: [3, ['int', 'const char *', 'void *']],
  CreateSession: [7, ['void *', 'const char *', 'void *', 'void *']],
  CreateSessionFromArray: [8, ['void *', 'void *', 'size_t', 'void *', 'void *']],
  Run: [9, ['void *', 'void *', 'void *', 'void *', 'size_t', 'void *', 'size_t', 'void *']],
  CreateSessionOptions: [10, ['void *']],
  DisableCpuMemArena: [19, ['void *']],
  SetSessionLogSeverityLevel: [22, ['void *', 'int']],
  SetIntraOpNumThreads: [24, ['void *', 'int']],
  SetInterOpNumThreads: [25, ['void *', 'int']],
  SessionGetOutputCount: [31, ['void *', 'void *']],
  SessionGetOutputName: [37, ['void *', 'size_t', 'void *', 'void *']],
  CreateTensorWithDataAsOrtValue: [49, ['void *', 'void *', 'size_t', 'void *', 'size_t', 'int', 'void *']],
  GetTensorMutableData: [51, ['void *', 'void *']],
  GetTensorElementType: [60, ['void *', 'void *']],
  GetDimensionsCount: [61, ['void *', 'void *']],
  GetDimensions: [62, ['void *', 'void *', 'size_t']],
  GetTensorTypeAndShape: [65, ['void *', 'void *']],
  CreateCpuMemoryInfo: [69, ['int', 'int', 'void *']],
  AllocatorFree: [76, ['void *', 'void *']],
  GetAllocatorWithDefaultOptions: [78, ['void *']],
  AddSessionConfigEntry: [130, ['void *', 'const char *', 'const char *']],
} satisfies Record<string, readonly [number, readonly string[]]>);

type FunctionName = keyof typeof functions;

/** Positions of functions that return nothing. */
const releases = Object.freeze({
  ReleaseStatus: 93,
  ReleaseSession: 95,
  ReleaseValue: 96,
  ReleaseTensorTypeAndShapeInfo: 99,
  ReleaseSessionOptions: 100,
});

const getErrorMessage = 2;

/** More than the positions above. */
const tableLength = 160;

/** Logs of this severity and above: fatal. */
const logSeverity = 4;

/** Kind of allocator and of memory of tensors over JavaScript memory: `OrtArenaAllocator`, `OrtMemTypeDefault`. */
const cpuMemory = [1, 0] as const;

type Argument = Pointer | number | string | null | ArrayBufferView;

/**
 * Binds the functions of a library.
 *
 * @throws Error when the library does not load or has another version
 */
export function bindOrtApi(koffi: typeof Koffi, file: string, version: string): OrtApi {
  const base: Pointer = koffi.load(file).func('void *OrtGetApiBase()')();
  const [getApi, getVersion]: Pointer[] = koffi.decode(base, koffi.array('void *', 2));
  const found: string = koffi.call(getVersion, koffi.proto('const char *', []));
  if (found !== version) throw new Error(`${file} has version ${found}, not ${version}`);
  const minor = Number(version.split('.')[1]);
  const api: Pointer = koffi.call(getApi, koffi.proto('void *', ['uint32_t']), minor);
  const table: Pointer[] = koffi.decode(api, koffi.array('void *', tableLength));
  const memcpy: (to: ArrayBufferView, from: Pointer, bytes: number) => void = koffi
    .load(null)
    .func('void *memcpy(void *, void *, size_t)');

  const bind = (position: number, result: string, parameters: readonly string[]) =>
    koffi.decode(table[position], koffi.proto(result, [...parameters]));
  const messageOf: (status: Pointer) => string = bind(getErrorMessage, 'const char *', ['void *']);
  const release = (name: keyof typeof releases): ((handle: Pointer) => void) =>
    bind(releases[name], 'void', ['void *']);
  const releaseStatus = release('ReleaseStatus');
  const releaseInfo = release('ReleaseTensorTypeAndShapeInfo');
  const releaseOptions = release('ReleaseSessionOptions');

  const call = (name: FunctionName): ((...values: Argument[]) => void) => {
    const [position, parameters] = functions[name];
    const native: (...values: Argument[]) => Pointer | null = bind(position, 'void *', parameters);
    return (...values) => {
      const status = native(...values);
      if (status === null) return;
      const message = messageOf(status);
      releaseStatus(status);
      throw new Error(message);
    };
  };
  const word = new BigUint64Array(1);
  /** The address or count that a function writes where its last argument points. */
  const result = (name: FunctionName): ((...values: Argument[]) => Pointer) => {
    const native = call(name);
    return (...values) => {
      word[0] = 0n;
      native(...values, word);
      return word[0]!;
    };
  };

  const createSession = result('CreateSession');
  const createSessionFromArray = result('CreateSessionFromArray');
  const createOptions = result('CreateSessionOptions');
  const disableArena = call('DisableCpuMemArena');
  const setLogSeverity = call('SetSessionLogSeverityLevel');
  const setIntraThreads = call('SetIntraOpNumThreads');
  const setInterThreads = call('SetInterOpNumThreads');
  const addConfig = call('AddSessionConfigEntry');
  const outputCount = result('SessionGetOutputCount');
  const outputName = result('SessionGetOutputName');
  const freeMemory = call('AllocatorFree');
  const createTensor = result('CreateTensorWithDataAsOrtValue');
  const dataOf = result('GetTensorMutableData');
  const typeAndShapeOf = result('GetTensorTypeAndShape');
  const elementTypeOf = result('GetTensorElementType');
  const dimensionCount = result('GetDimensionsCount');
  const dimensionsOf = call('GetDimensions');
  const run = call('Run');

  const environment = result('CreateEnv')(logSeverity, 'lookm');
  const memory = result('CreateCpuMemoryInfo')(...cpuMemory);
  const allocator = result('GetAllocatorWithDefaultOptions')();
  const dimensions = new BigInt64Array(8);

  return {
    createSession(model, { threads, keepsWorkspace, config }) {
      const options = createOptions();
      try {
        setLogSeverity(options, logSeverity);
        setIntraThreads(options, threads);
        setInterThreads(options, 1);
        if (!keepsWorkspace) disableArena(options);
        for (const [key, value] of Object.entries(config)) addConfig(options, key, value);
        return typeof model === 'string'
          ? createSession(environment, model, options)
          : createSessionFromArray(environment, model, model.byteLength, options);
      } finally {
        releaseOptions(options);
      }
    },
    outputNames(session) {
      return Array.from({ length: Number(outputCount(session)) }, (_, index) => {
        const name = outputName(session, index, allocator);
        const text: string = koffi.decode.string(name);
        freeMemory(allocator, name);
        return text;
      });
    },
    releaseSession: release('ReleaseSession'),
    createTensor(data, dims, elementType) {
      for (let i = 0; i < dims.length; i++) dimensions[i] = BigInt(dims[i]!);
      return createTensor(memory, data, data.byteLength, dimensions, dims.length, elementType);
    },
    readTensor(tensor) {
      const info = typeAndShapeOf(tensor);
      try {
        // An enum is written into the low half of the word.
        const type = Number(elementTypeOf(info));
        const rank = Number(dimensionCount(info));
        dimensionsOf(info, dimensions, rank);
        const dims = Array.from(dimensions.subarray(0, rank), Number);
        const count = dims.reduce((product, dim) => product * dim, 1);
        const data = arrayOf(type, count);
        if (count > 0) memcpy(data, dataOf(tensor), data.byteLength);
        return { data, dims };
      } finally {
        releaseInfo(info);
      }
    },
    releaseTensor: release('ReleaseValue'),
    run(session, inputs, outputs) {
      run(
        session,
        null,
        inputs.names,
        inputs.tensors,
        inputs.count,
        outputs.names,
        outputs.count,
        outputs.tensors,
      );
    },
    addressOf: (data) => koffi.address(data),
  };
}

function arrayOf(elementType: number, count: number): Float32Array | Int32Array {
  if (elementType === elementTypes.float32) return new Float32Array(count);
  if (elementType === elementTypes.int32) return new Int32Array(count);
  throw new Error(`an output has element type ${elementType}, which nothing here reads`);
}
