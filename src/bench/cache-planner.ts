import type { TextConfig } from '../backbone/bundle-manifest.js';
import type { MethodSet } from '../compression/method-set.js';
import { UserError } from '../core/errors.js';
import { layerWeights } from '../engine/language-model.js';
import { inMemory, planCaches } from './cache-plan.js';
import { cacheNeeds, mostCacheSize } from './cache-sizes.js';
import type { Cell } from './record.js';
import type { GenerationSettings } from './record-key.js';
import type { CacheRoom } from './run-cells.js';
import { freeDiskBytes, openSpillFile, type SpillFile } from './spill-file.js';

/** How often the caches of a sample were kept which way, and what went through the temporary file, in and out. */
export interface CacheCounts {
  readonly memory: number;
  readonly spill: number;
  readonly groups: number;
  readonly movedBytes: number;
}

/** Until a prefill has been timed: operations a millisecond and thread. Machines of today do two to five times as many. */
const assumedOperations = 5e7;

/** Until the file has been used: bytes a millisecond of a common solid-state disk. */
const assumedDiskSpeed = 5e5;

/** Bytes of the disk that are left alone. */
const diskMargin = 2 ** 30;

/** Decides sample by sample where caches are kept, by what earlier samples took. Close it when done. */
export class CachePlanner {
  readonly #config: TextConfig;
  readonly #threads: number;
  readonly #limit: number;
  readonly #directory: string;
  readonly #methods: MethodSet;
  readonly #generation: Pick<GenerationSettings, 'decoding' | 'maxNewTokens'>;
  readonly #counts = { memory: 0, spill: 0, groups: 0 };
  readonly #prefilled = { tokens: 0, milliseconds: 0 };
  #file: SpillFile | null = null;

  /**
   * @param options.limit bytes that caches may take in memory beside everything else
   * @param options.directory of the temporary file
   */
  constructor(options: {
    readonly config: TextConfig;
    readonly threads: number;
    readonly limit: number;
    readonly directory: string;
    readonly methods: MethodSet;
    readonly generation: Pick<GenerationSettings, 'decoding' | 'maxNewTokens'>;
  }) {
    this.#config = options.config;
    this.#threads = options.threads;
    this.#limit = options.limit;
    this.#directory = options.directory;
    this.#methods = options.methods;
    this.#generation = options.generation;
  }

  get counts(): CacheCounts {
    return { ...this.#counts, movedBytes: this.#file?.moved.bytes ?? 0 };
  }

  /**
   * Room for the caches of a prompt's cells.
   *
   * @param modality [length], 1 where the position is an image token
   * @throws UserError when the largest cache alone takes more than there is
   */
  async roomFor(cells: readonly Cell[], modality: Uint8Array): Promise<CacheRoom> {
    const config = this.#config;
    const limit = this.#limit;
    const { decoding, maxNewTokens: newTokens } = this.#generation;
    const caches = cells.map((cell) => mostCacheSize(config, this.#methods, cell, { modality, newTokens }));
    const { sizes, growth } = cacheNeeds(caches, decoding);
    const fits = sizes.reduce((total, size) => total + size, growth) <= limit;
    const plan = fits
      ? inMemory(cells.length)
      : planCaches({
          sizes,
          limit: limit - growth,
          freeDisk: (await freeDiskBytes(this.#directory)) - diskMargin,
          millisecondsPerByte: this.#millisecondsPerByte,
          prefillMilliseconds: modality.length * this.#millisecondsPerToken,
        });
    if (plan === null) throw tooLarge(Math.max(...sizes) + growth, limit);
    this.#counts[plan.kind]++;
    if (plan.kind === 'spill') this.#file ??= await openSpillFile(this.#directory);
    return { plan, file: plan.kind === 'spill' ? this.#file : null, limit };
  }

  /** Takes note of how long prefills of a prompt took. */
  prefilled(tokens: number, milliseconds: number): void {
    this.#prefilled.tokens += tokens;
    this.#prefilled.milliseconds += milliseconds;
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  /** Written once and read once. */
  get #millisecondsPerByte(): number {
    const moved = this.#file?.moved;
    return (
      2 * (moved === undefined || moved.bytes === 0 ? 1 / assumedDiskSpeed : moved.milliseconds / moved.bytes)
    );
  }

  get #millisecondsPerToken(): number {
    const { tokens, milliseconds } = this.#prefilled;
    if (tokens > 0) return milliseconds / tokens;
    return (2 * layerWeights(this.#config)) / (assumedOperations * this.#threads);
  }
}

function tooLarge(needed: number, limit: number): UserError {
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
  return new UserError({
    what: `the largest cache of the prompt may take ${gigabytes(needed)} while it decodes, and memory has ${gigabytes(limit)} for caches`,
    fix: 'leave out method full or lower budgets, generation.max-new-tokens or max-context',
  });
}
