import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { messageOf, UserError } from '../../core/errors.js';

/** llama.cpp v0.5.0, prebuilt; the structures below are those of its `llama.h`. */
const packageVersion = '3.22.1';
const packageName = `@node-llama-cpp/${process.platform}-${process.arch}`;

/** An object of llama.cpp; koffi gives and takes them as addresses. */
export type Handle = bigint;

/** `llama_context_params`, as far as it is set here. */
export interface ContextParameters {
  n_ctx: number;
  n_batch: number;
  n_ubatch: number;
  n_threads: number;
  n_threads_batch: number;
  flash_attn_type: number;
  type_k: number;
  type_v: number;
}

/** What is used of `llama.h`. */
export interface LlamaLibrary {
  loadModel(file: string): Handle | null;
  freeModel(model: Handle): void;
  defaultParameters(): ContextParameters;
  openContext(model: Handle, parameters: ContextParameters): Handle | null;
  freeContext(context: Handle): void;
  /** Runs tokens behind those in the cache and returns when they are done; 0 when all is well. */
  decode(context: Handle, tokens: readonly number[]): number;
  /** Forgets the rows of positions from `from` on. */
  forget(context: Handle, from: number): boolean;
  /** Logits of the last token, [count]. */
  logits(context: Handle, count: number): Float32Array;
}

/** The most tokens of one call. */
export const mostTokens = 512;

/**
 * llama.cpp through its C interface; nothing is compiled and nothing but the npm package is needed.
 *
 * @throws UserError when the package is not there, with the command that installs it
 */
export async function loadLlamaLibrary(): Promise<LlamaLibrary> {
  const directory = libraryDirectory();
  const { default: koffi } = await import('koffi').catch((error: unknown) => {
    throw unusable(`needs koffi, which cannot be loaded (${messageOf(error)})`);
  });
  const open = (stem: string) => koffi.load(path.join(directory, libraryFile(directory, stem)));
  const ggml = open('libggml');
  const llama = open('libllama');
  // Passed by value and never looked into: room for more than its 80 bytes.
  const modelParameters = koffi.struct({ all: koffi.array('uint64', 16) });
  const contextParameters = koffi.struct({
    n_ctx: 'uint32',
    n_batch: 'uint32',
    n_ubatch: 'uint32',
    counts: koffi.array('uint32', 4),
    n_threads: 'int32',
    n_threads_batch: 'int32',
    types: koffi.array('int32', 4),
    flash_attn_type: 'int32',
    rope: koffi.array('float', 6),
    yarn_orig_ctx: 'uint32',
    defrag_thold: 'float',
    callbacks: koffi.array('void *', 2),
    type_k: 'int32',
    type_v: 'int32',
    more: koffi.array('void *', 2),
    flags: koffi.array('bool', 6),
    samplers: 'void *',
    n_samplers: 'size_t',
    ctx_other: 'void *',
  });
  const batch = koffi.struct({
    n_tokens: 'int32',
    token: 'void *',
    rest: koffi.array('void *', 5),
  });
  const silent = koffi.register(
    () => {},
    koffi.pointer(koffi.proto('void', ['int', 'const char *', 'void *'])),
  );
  llama.func('llama_log_set', 'void', ['void *', 'void *'])(silent, null);
  ggml.func('ggml_backend_load_all_from_path', 'void', ['str'])(directory);
  const defaultModel = llama.func('llama_model_default_params', modelParameters, []);
  const loadModel = llama.func('llama_model_load_from_file', 'void *', ['str', modelParameters]);
  const batchOf = llama.func('llama_batch_get_one', batch, ['void *', 'int32']);
  const decode = llama.func('llama_decode', 'int32', ['void *', batch]);
  const synchronize = llama.func('llama_synchronize', 'void', ['void *']);
  const memoryOf = llama.func('llama_get_memory', 'void *', ['void *']);
  const remove = llama.func('llama_memory_seq_rm', 'bool', ['void *', 'int32', 'int32', 'int32']);
  const logitsOf = llama.func('llama_get_logits_ith', 'void *', ['void *', 'int32']);
  const tokenArray = koffi.alloc('int32', mostTokens);
  const library: LlamaLibrary = {
    loadModel: (file) => loadModel(file, defaultModel()),
    freeModel: llama.func('llama_model_free', 'void', ['void *']),
    defaultParameters: llama.func('llama_context_default_params', contextParameters, []),
    openContext: llama.func('llama_init_from_model', 'void *', ['void *', contextParameters]),
    freeContext: llama.func('llama_free', 'void', ['void *']),
    decode: (context, tokens) => {
      koffi.encode(tokenArray, koffi.array('int32', tokens.length), tokens);
      const status = decode(context, batchOf(tokenArray, tokens.length));
      synchronize(context);
      return status;
    },
    forget: (context, from) => remove(memoryOf(context), 0, from, -1),
    logits: (context, count) => koffi.decode(logitsOf(context, -1), koffi.array('float', count)),
  };
  checkParameters(library.defaultParameters());
  return library;
}

/** Another version of llama.cpp would have its fields elsewhere. */
function checkParameters({
  n_ctx,
  n_batch,
  n_ubatch,
  flash_attn_type,
  type_k,
  type_v,
}: ContextParameters): void {
  const found = [n_ctx, n_batch, n_ubatch, flash_attn_type, type_k, type_v].join();
  if (found !== '512,2048,512,-1,1,1') throw unusable(`has other default parameters than expected: ${found}`);
}

function libraryDirectory(): string {
  try {
    const entry = createRequire(import.meta.url).resolve(packageName);
    return path.join(path.dirname(entry), '..', 'bins', `${process.platform}-${process.arch}`);
  } catch {
    throw unusable('is not installed');
  }
}

function libraryFile(directory: string, stem: string): string {
  const name = readdirSync(directory).find((file) => file.startsWith(`${stem}.`));
  if (name === undefined) throw unusable(`has no ${stem}`);
  return name;
}

function unusable(what: string): UserError {
  return new UserError({
    where: 'llama.cpp',
    what: `the optional package ${packageName} ${what}`,
    fix: `run npm install --no-save --ignore-scripts ${packageName}@${packageVersion} (there for linux-x64)`,
  });
}
