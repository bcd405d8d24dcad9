import { BugError, UserError } from '../../core/errors.js';
import { type Handle, type LlamaLibrary, loadLlamaLibrary, mostTokens } from './llama-library.js';

/** How llama.cpp keeps and reads its cache. */
export interface PeerSettings {
  readonly threads: number;
  readonly flashAttention: boolean;
}

const float16 = 1;

/** A model of llama.cpp with one sequence, whose cache holds as many rows as it was fed tokens. */
export class LlamaPeer {
  readonly #library: LlamaLibrary;
  readonly #vocabSize: number;
  readonly #model: Handle;
  readonly #contexts = new Set<Handle>();

  private constructor(library: LlamaLibrary, model: Handle, vocabSize: number) {
    this.#library = library;
    this.#model = model;
    this.#vocabSize = vocabSize;
  }

  /** @throws UserError when llama.cpp is not installed or refuses the file */
  static async open(file: string, vocabSize: number): Promise<LlamaPeer> {
    const library = await loadLlamaLibrary();
    const model = library.loadModel(file);
    if (model === null) {
      throw new UserError({
        where: file,
        what: 'llama.cpp cannot load it',
        fix: 'free memory and run again',
      });
    }
    return new LlamaPeer(library, model, vocabSize);
  }

  /** A cache for up to `rows` rows in float16. */
  context(rows: number, { threads, flashAttention }: PeerSettings): LlamaContext {
    const library = this.#library;
    const handle = library.openContext(this.#model, {
      ...library.defaultParameters(),
      n_ctx: rows,
      n_batch: mostTokens,
      n_ubatch: mostTokens,
      n_threads: threads,
      n_threads_batch: threads,
      flash_attn_type: flashAttention ? 1 : 0,
      type_k: float16,
      type_v: float16,
    });
    if (handle === null) throw new BugError({ what: 'llama.cpp opened no context' });
    this.#contexts.add(handle);
    return new LlamaContext(library, handle, this.#vocabSize);
  }

  close(): void {
    for (const context of this.#contexts) this.#library.freeContext(context);
    this.#library.freeModel(this.#model);
  }
}

export class LlamaContext {
  readonly #library: LlamaLibrary;
  readonly #handle: Handle;
  readonly #vocabSize: number;
  #rows = 0;

  constructor(library: LlamaLibrary, handle: Handle, vocabSize: number) {
    this.#library = library;
    this.#handle = handle;
    this.#vocabSize = vocabSize;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Runs `count` more tokens of the prompt, at most 512. */
  feed(count: number): void {
    const tokens = Array.from({ length: count }, (_, i) => ((this.#rows + i) * 7919) % this.#vocabSize);
    const status = this.#library.decode(this.#handle, tokens);
    if (status !== 0) throw new BugError({ what: `llama.cpp answered ${status}` });
    this.#rows += count;
  }

  /** Keeps the first rows only. */
  cut(rows: number): void {
    if (!this.#library.forget(this.#handle, rows)) throw new BugError({ what: 'llama.cpp kept its rows' });
    this.#rows = rows;
  }

  /** Logits of the last token, [vocabSize]. */
  get logits(): Float32Array {
    return this.#library.logits(this.#handle, this.#vocabSize);
  }
}
