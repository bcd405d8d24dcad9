import { embeddingOf } from '../backbone/embedding-table.js';
import { cacheRecorder } from '../bench/cache-record.js';
import { decodingBytes } from '../bench/cache-sizes.js';
import { type Fork, type PreparedPrompt, prefillCells } from '../bench/prefill-cells.js';
import type { PromptRecord } from '../bench/record.js';
import { RowStore } from '../bench/row-store.js';
import { decodeStart } from '../bench/run-cells.js';
import { seedOfPrompt } from '../bench/sample-prompt.js';
import { openSpillFile } from '../bench/spill-file.js';
import { UserError } from '../core/errors.js';
import type { FloatPool } from '../core/float-pool.js';
import { roundedToMicroseconds } from '../core/milliseconds.js';
import type { DecodeStart } from '../engine/decode.js';
import { decodeBlock } from './decode-block.js';
import { decodeInTurns } from './decode-in-turns.js';
import type { LatencyRecord, MeasuredCell } from './latency-record.js';
import type { LatencySettings, LatencySetup } from './latency-setup.js';
import type { LatencyStage, LatencyTimes } from './latency-stage.js';
import { LoadedCache } from './loaded-cache.js';
import { measureResident } from './resident-memory.js';

/** A compressed cache on the disk, and how decoding on it starts. */
interface StoredCell {
  readonly fork: Fork;
  readonly start: DecodeStart;
  /** Bytes that it takes in memory at the end of a repeat. */
  readonly bytes: number;
  /** @param again whether it will be loaded once more */
  load(again: boolean): Promise<LoadedCache>;
}

type Measured = Pick<LatencyRecord, 'cells' | 'memoryRead' | 'load'>;

/** Prefills a prompt once, compresses it for all cells, and measures decoding on each cache: first its memory, then its time. */
export async function measureCells(
  setup: LatencySetup,
  settings: LatencySettings,
  { prompt, about }: { readonly prompt: PreparedPrompt; readonly about: PromptRecord },
  onStage: (stage: LatencyStage) => void,
): Promise<Measured & { readonly times: Omit<LatencyTimes, 'input'>; readonly movedBytes: number }> {
  const { cells, methods, seed, protocol } = settings;
  const { model, runtime, embeddings } = setup.backbone;
  const file = await openSpillFile(settings.spillDirectory);
  try {
    const store = new RowStore(model.pool, file);
    onStage('prefill');
    const { forks, logits, times } = await prefillCells({
      ...{ backbone: setup.backbone, methods, prompt, cells, store, observer: {} },
      seed: seedOfPrompt(seed, about),
      spilled: new Set(cells),
    });
    const begin = performance.now();
    const newTokens = protocol.warmUp + protocol.steps;
    const stored = forks.map((fork): StoredCell => {
      const { cell, layers } = fork;
      return {
        fork,
        start: decodeStart(cell, prompt, logits, model),
        bytes: decodingBytes(model.config, layers, newTokens),
        load: (again) => LoadedCache.load(model.config, layers, { store, again }),
      };
    });
    requireRoom(stored, settings.cacheBytes);
    const embed = (token: number): Float32Array => embeddingOf(embeddings, token);
    onStage('resident memory');
    const resident = await residentOf(stored, model.pool, (cache, start, afterStep) =>
      decodeBlock({ model, runtime }, cache.layers, start, { steps: newTokens, embed, afterStep }),
    );
    onStage('decoding in turns');
    const loaded = [];
    for (const { fork, start, load } of stored) {
      const cache = await load(false);
      const decode = () => decodeBlock({ model, runtime }, cache.layers, start, { steps: newTokens, embed });
      loaded.push({ cell: fork.cell, cache, decode });
    }
    const turns = await decodeInTurns(loaded, { protocol, machine: setup.machine });
    const recordCache = cacheRecorder(model.config, about.tokens);
    const measured = stored.map(({ fork: { cell, layers } }, i): MeasuredCell => {
      const compress = layers.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
      const { end, allocated, ...decoded } = turns.cells[i]!;
      return {
        cell,
        compress: roundedToMicroseconds(compress),
        cache: { ...recordCache(layers), end, allocated },
        resident: resident.get(stored[i]!)!,
        ...decoded,
      };
    });
    const decode = performance.now() - begin;
    return {
      times: { ...times, decode },
      movedBytes: file.moved.bytes,
      cells: measured,
      memoryRead: turns.memoryRead,
      load: turns.load,
    };
  } finally {
    await file.close();
  }
}

/** Memory of each cache alone, the smallest first: what one leaves behind cannot hide what the next one takes. */
async function residentOf(
  stored: readonly StoredCell[],
  pool: FloatPool,
  decode: (cache: LoadedCache, start: DecodeStart, afterStep: () => void) => Promise<unknown>,
): Promise<Map<StoredCell, MeasuredCell['resident']>> {
  const resident = new Map<StoredCell, MeasuredCell['resident']>();
  for (const one of stored.toSorted((a, b) => a.bytes - b.bytes)) {
    const measured = await measureResident(
      () => one.load(true),
      async (cache, afterStep) => void (await decode(cache, one.start, afterStep)),
      pool,
    );
    resident.set(one, measured);
  }
  return resident;
}

function requireRoom(stored: readonly StoredCell[], limit: number): void {
  const needed = stored.reduce((sum, { bytes }) => sum + bytes, 0);
  if (needed <= limit) return;
  const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(2)} GB`;
  throw new UserError({
    what: `the caches of all cells take ${gigabytes(needed)}, and memory has ${gigabytes(limit)} for them: cells that take turns are loaded together`,
    fix: 'leave out methods or budgets, or lower max-context',
  });
}
