import { embeddingOf } from '../backbone/embedding-table.js';
import type { StopCheck } from '../backbone/stop-criteria.js';
import type { Backbone } from '../bench/open-backbone.js';
import type { PreparedPrompt } from '../bench/prefill-cells.js';
import type { Cell } from '../bench/record.js';
import { type CellOutcome, runCells } from '../bench/run-cells.js';
import type { CacheRows } from '../compression/compressed-layer.js';
import type { Method } from '../compression/method.js';
import { MethodSet } from '../compression/method-set.js';
import type { Budget } from '../core/budget.js';
import { invariant } from '../core/errors.js';
import type { PrefilledLayer } from '../engine/prefill.js';
import type { GoldenModes } from './backbone-golden.js';
import type { GoldenTensors } from './golden-tensors.js';
import { methodOfMode } from './method-of-mode.js';
import { equality, type StageCheck, stageTally } from './stage-checks.js';
import { largestDifference, type ModeTally, sameIntegers } from './tally.js';

const cacheTolerance = 1e-4;
const columnSumTolerance = 1e-3;
const logitTolerance = 1e-3;

/** What these stages use of a backbone: everything from the input embeddings on. */
export type Decoder = Pick<Backbone, 'model' | 'nearestKeys' | 'channels' | 'runtime' | 'embeddings'>;

/** The recorded runs have a fixed length, whatever tokens they meet. */
const neverStop: StopCheck = () => null;

/** The full cache, uncompressed: no budget, first token from prefill. */
const fullCell: Cell = { method: 'full', semantics: 'release', budget: null, firstToken: 'prefill' };

/** Everything seen of one cell's run. */
interface CellRun {
  readonly outcome: CellOutcome;
  readonly layers: readonly CacheRows[];
  /** Logits before each token, [tokens, vocabSize]. */
  readonly logits: Float32Array;
}

async function runObserved(
  backbone: Decoder,
  prompt: PreparedPrompt,
  cells: readonly Cell[],
  maxNewTokens: number,
  onPrefilled: (layer: PrefilledLayer) => void = () => {},
): Promise<CellRun[]> {
  const layers = new Map<Cell, CacheRows[]>(cells.map((cell) => [cell, []]));
  const logits = new Map<Cell, number[]>(cells.map((cell) => [cell, []]));
  const embed = (token: number): Float32Array => embeddingOf(backbone.embeddings, token);
  const { outcomes } = await runCells({
    backbone,
    methods: new MethodSet(),
    prompt,
    seed: 0,
    cells,
    decoding: { maxNewTokens, stop: neverStop, embed },
    observer: {
      onPrefilled,
      onCompressed: (cell, _layer, { cache }) => {
        invariant(cache.type === 'float32', 'golden vectors know no quantised rows');
        layers.get(cell)?.push({ ...cache, keys: cache.keys.slice(), values: cache.values.slice() });
      },
      onLogits: (cell, seen) => {
        const all = logits.get(cell)!;
        for (const value of seen) all.push(value);
      },
    },
  });
  return outcomes.map((outcome) => ({
    outcome,
    layers: layers.get(outcome.cell)!,
    logits: Float32Array.from(logits.get(outcome.cell)!),
  }));
}

/** K, V, column sums and logits of prefill, and the tokens of the full cache. */
export async function verifyFullCache(
  directory: string,
  backbone: Decoder,
  prompt: PreparedPrompt,
  golden: { readonly tensors: GoldenTensors; readonly tokens: readonly number[] },
): Promise<ModeTally[]> {
  const { tensors, tokens } = golden;
  const seen: { what: string; actual: Float32Array; expected: string; tolerance: number }[] = [];
  const [run] = await runObserved(backbone, prompt, [fullCell], tokens.length, (layer) => {
    const { layer: n, length } = layer;
    const sums = layer.statistics.columnSums(length).slice();
    seen.push({
      what: `K of layer ${n}`,
      actual: layer.keys.slice(),
      expected: `k.${n}`,
      tolerance: cacheTolerance,
    });
    seen.push({
      what: `V of layer ${n}`,
      actual: layer.values.slice(),
      expected: `v.${n}`,
      tolerance: cacheTolerance,
    });
    seen.push({
      what: `column sums of layer ${n}`,
      actual: sums,
      expected: `attn_colsum.${n}`,
      tolerance: columnSumTolerance,
    });
  });
  const checks: StageCheck[] = [];
  for (const { what, actual, expected, tolerance } of seen) {
    checks.push({ what, error: largestDifference(actual, await tensors.floats(expected)), tolerance });
  }
  const last = await tensors.floats('logits_last');
  const firstLogits = run!.logits.subarray(0, last.length);
  checks.push({ what: 'logits', error: largestDifference(firstLogits, last), tolerance: logitTolerance });
  return [
    stageTally(directory, 'prefill', checks),
    generationTally(directory, 'full', [
      await generationResult(run!, { tokens, logits: 'full.logits', tensors }),
    ]),
  ];
}

/** Tokens of the full cache, and logits [n, vocabSize] before the first n of them. */
export async function fullCacheChecks(
  backbone: Decoder,
  prompt: PreparedPrompt,
  golden: { readonly tokens: readonly number[]; readonly logits: Float32Array },
): Promise<StageCheck[]> {
  const [run] = await runObserved(backbone, prompt, [fullCell], golden.tokens.length);
  const error = largestDifference(run!.logits.subarray(0, golden.logits.length), golden.logits);
  return [
    equality('tokens', sameIntegers(run!.outcome.generation.tokens, golden.tokens)),
    { what: 'logits', error, tolerance: logitTolerance },
  ];
}

interface GenerationResult {
  readonly checks: readonly StageCheck[];
  readonly selectionIdentical: boolean;
  readonly tokensIdentical: boolean;
}

async function generationResult(
  run: CellRun,
  golden: {
    readonly tokens: readonly number[];
    readonly logits: string;
    readonly tensors: GoldenTensors | null;
  },
): Promise<GenerationResult> {
  const tokensIdentical = sameIntegers(run.outcome.generation.tokens, golden.tokens);
  const checks = [equality('tokens', tokensIdentical)];
  if (golden.tensors?.has(golden.logits)) {
    const error = largestDifference(run.logits, await golden.tensors.floats(golden.logits));
    checks.push({ what: 'logits', error, tolerance: logitTolerance });
  }
  return { checks, selectionIdentical: true, tokensIdentical };
}

function generationTally(directory: string, mode: string, results: readonly GenerationResult[]): ModeTally {
  const tally = stageTally(
    directory,
    mode,
    results.flatMap(({ checks }) => checks),
  );
  const finite = results.flatMap(({ checks }) => checks).filter(({ tolerance }) => tolerance > 0);
  return {
    ...tally,
    cases: results.length,
    identicalSelections: results.filter(({ selectionIdentical }) => selectionIdentical).length,
    worstError: finite.length === 0 ? null : Math.max(...finite.map(({ error }) => error)),
    identicalTokens: {
      equal: results.filter(({ tokensIdentical }) => tokensIdentical).length,
      of: results.length,
    },
  };
}

/** Generation under every cache mode that a method implements; the others are skipped. */
export async function verifyModes(
  directory: string,
  backbone: Decoder,
  prompts: { readonly images: PreparedPrompt; readonly textOnly: PreparedPrompt | null },
  golden: { readonly modes: GoldenModes; readonly tensors: GoldenTensors; readonly full: GoldenTensors },
): Promise<ModeTally[]> {
  const tallies: ModeTally[] = [];
  const runs = Object.entries(golden.modes.runs);
  const textRuns = Object.entries(golden.modes.text_only?.runs ?? {});
  const names = new Set([...runs.map(([, run]) => run.kv_mode), ...textRuns.map(([mode]) => mode)]);
  for (const mode of names) {
    const method = methodOfMode(mode);
    if (method === undefined) {
      tallies.push(skippedMode(directory, mode, runs.filter(([, run]) => run.kv_mode === mode).length));
      continue;
    }
    const results: GenerationResult[] = [];
    for (const [key, run] of runs.filter(([, one]) => one.kv_mode === mode)) {
      const [seen] = await runObserved(backbone, prompts.images, [cellOf(method, run)], run.tokens.length);
      const result = await generationResult(seen!, {
        tokens: run.tokens,
        logits: `${key}.logits`,
        tensors: golden.tensors,
      });
      const cache = await cacheChecks(key, run, seen!, golden);
      results.push({
        ...result,
        checks: [...result.checks, ...cache.checks].map((check) => ({
          ...check,
          what: `${key}: ${check.what}`,
        })),
        selectionIdentical: cache.selectionIdentical,
      });
    }
    for (const [, run] of textRuns.filter(([one]) => one === mode && prompts.textOnly !== null)) {
      const [seen] = await runObserved(backbone, prompts.textOnly!, [cellOf(method, run)], run.tokens.length);
      const result = await generationResult(seen!, { tokens: run.tokens, logits: '', tensors: null });
      const rows = equality(`${mode} without images: rows`, sameIntegers(rowsOf(seen!), run.cache_len));
      results.push({ ...result, checks: [...result.checks, rows] });
    }
    tallies.push(generationTally(directory, mode, results));
  }
  return tallies;
}

/** The recorded run of a mode that the published code never calls is the full cache. */
function cellOf(method: Method, run: { hh_ratio: number; recent_ratio: number }): Cell {
  if (method.definitions === null || method.released?.called === false) return fullCell;
  const budget: Budget = { kind: 'ratio', recent: run.recent_ratio, important: run.hh_ratio };
  return { method: method.name, semantics: 'release', budget, firstToken: 'prefill' };
}

function rowsOf({ outcome }: CellRun): number[] {
  return outcome.layers.map(({ cache }) => cache.rows);
}

/** Kept indices, cache lengths, and K and V right after compression (gathered from the full ones if need be). */
async function cacheChecks(
  key: string,
  run: GoldenModes['runs'][string],
  seen: CellRun,
  golden: { readonly tensors: GoldenTensors; readonly full: GoldenTensors },
): Promise<{ checks: StageCheck[]; selectionIdentical: boolean }> {
  const { outcome, layers } = seen;
  const rows = rowsOf(seen);
  const end = rows.map((count) => count + outcome.generation.steps.length);
  const checks = [
    equality('rows', sameIntegers(rows, run.cache_len)),
    ...(run.cache_len_end === undefined
      ? []
      : [equality('rows at the end', sameIntegers(end, run.cache_len_end))]),
  ];
  let selectionIdentical = true;
  for (const [index, layer] of layers.entries()) {
    const keptName = `${key}.kept.${index}`;
    if (golden.tensors.has(keptName)) {
      const kept = sameIntegers(layer.kept, await golden.tensors.integers(keptName));
      selectionIdentical &&= kept;
      checks.push(equality(`kept indices of layer ${index}`, kept));
    }
    for (const [what, actual] of [
      ['k', layer.keys],
      ['v', layer.values],
    ] as const) {
      const name = `${key}.${what}.${index}`;
      const merged = golden.tensors.has(name);
      if (!merged && layer.merged !== undefined) continue;
      const expected = merged
        ? await golden.tensors.floats(name)
        : gathered(await golden.full.floats(`${what}.${index}`), golden.full.dims(`${what}.${index}`), layer);
      const error = largestDifference(usedRows(actual, layer), expected);
      checks.push({ what: `${what.toUpperCase()} of layer ${index}`, error, tolerance: cacheTolerance });
    }
  }
  return { checks, selectionIdentical };
}

/** Rows of the full cache [heads, length, headDim] at a layer's kept positions. */
function gathered(full: Float32Array, dims: readonly number[], { kept, rows }: CacheRows): Float32Array {
  const [heads, length, headDim] = [dims[0]!, dims[1]!, dims[2]!];
  const result = new Float32Array(heads * rows * headDim);
  for (let i = 0; i < kept.length; i++) {
    const from = (Math.floor(i / rows) * length + kept[i]!) * headDim;
    result.set(full.subarray(from, from + headDim), i * headDim);
  }
  return result;
}

/** The used rows [heads, rows, headDim] of a buffer [heads, capacity, headDim]. */
function usedRows(buffer: Float32Array, { rows, capacity, kept }: CacheRows): Float32Array {
  if (rows === 0) return new Float32Array(0);
  const heads = kept.length / rows;
  const headDim = buffer.length / (heads * capacity);
  const used = new Float32Array(heads * rows * headDim);
  for (let head = 0; head < heads; head++) {
    const from = head * capacity * headDim;
    used.set(buffer.subarray(from, from + rows * headDim), head * rows * headDim);
  }
  return used;
}

function skippedMode(directory: string, mode: string, cases: number): ModeTally {
  return {
    format: 'backbones',
    directory,
    mode,
    status: 'skipped',
    cases,
    identicalSelections: null,
    worstError: null,
    identicalTokens: null,
    notes: ['no method implements this mode yet'],
  };
}
