import path from 'node:path';
import { z } from 'zod';
import type { CompressedLayer } from '../compression/compressed-layer.js';
import { LayerCompressor } from '../compression/layer-compressor.js';
import type { LayerInput } from '../compression/layer-input.js';
import { MethodSet } from '../compression/method-set.js';
import { type Policy, policyNeeds } from '../compression/policy.js';
import type { StatisticNeeds } from '../core/attention-statistics.js';
import type { Budget } from '../core/budget.js';
import { invariant, messageOf } from '../core/errors.js';
import { FloatPool } from '../core/float-pool.js';
import { readJsonFile } from '../core/json-file.js';
import { AttentionRecorder } from '../engine/attention-recorder.js';
import { openChannelArithmetic } from '../engine/channel-arithmetic.js';
import { chunkPlan } from '../engine/chunk-plan.js';
import { openNearestKeySearch } from '../engine/nearest-key.js';
import { openRuntime } from '../engine/open-runtime.js';
import { openPrefillAttention } from '../engine/prefill-attention.js';
import { floats, type Runtime } from '../engine/runtime.js';
import { GoldenTensors } from './golden-tensors.js';
import { methodOfMode } from './method-of-mode.js';
import { largestDifference, type ModeTally, sameIntegers } from './tally.js';

/** Published closeness of the vectors: K and V, and column sums. */
const cacheTolerance = 1e-5;
const columnSumTolerance = 1e-4;

const count = z.int().nonnegative();
const caseSchema = z.object({
  id: z.string(),
  file: z.string().regex(/^[\w.-]+$/, 'is not a plain file name'),
  mode: z.string(),
  heads: z.int().positive(),
  head_dim: z.int().positive(),
  seq_len: z.int().positive(),
  image_spans: z.array(z.tuple([count, count])),
  hh_ratio: z.number().min(0),
  recent_ratio: z.number().min(0),
  outcome: z.enum(['compressed', 'unchanged', 'error']),
  error: z.unknown(),
  /** The published selection hangs on how its sort breaks ties: it is given, and what follows is compared. */
  selection_undefined: z.boolean().default(false),
});
type KvCase = z.infer<typeof caseSchema>;

/** `index.json` of a directory of cache-compression vectors. */
export const kvIndexSchema = z.object({ format: z.literal(1), cases: z.array(caseSchema) });

interface CaseResult {
  readonly selectionIdentical: boolean;
  readonly error: number;
  readonly notes: readonly string[];
}

/**
 * Runs one-layer vectors: attention with column sums over q, k and v as prefill does it, then compression.
 *
 * @returns one tally a mode; modes without a method are skipped
 * @throws UserError when the index cannot be read
 */
export async function verifyKvVectors(directory: string): Promise<ModeTally[]> {
  const { cases } = await readJsonFile(
    path.join(directory, 'index.json'),
    kvIndexSchema,
    'restore the vectors',
  );
  const tallies: ModeTally[] = [];
  for (const mode of new Set(cases.map((one) => one.mode))) {
    const ofMode = cases.filter((one) => one.mode === mode);
    const method = methodOfMode(mode);
    const about = { format: 'kv', directory, mode, cases: ofMode.length, identicalTokens: null } as const;
    if (method === undefined) {
      const notes = ['no method implements this mode yet'];
      tallies.push({ ...about, status: 'skipped', identicalSelections: null, worstError: null, notes });
      continue;
    }
    const results: CaseResult[] = [];
    const policy = new MethodSet().policy(method.name, 'release');
    for (const one of ofMode) results.push(await runCase(directory, one, policy));
    const notes = results.flatMap((result) => result.notes);
    tallies.push({
      ...about,
      status: notes.length === 0 ? 'passed' : 'failed',
      identicalSelections: results.filter((result) => result.selectionIdentical).length,
      worstError: Math.max(...results.map((result) => result.error)),
      notes,
    });
  }
  return tallies;
}

async function runCase(directory: string, one: KvCase, policy: Policy): Promise<CaseResult> {
  try {
    const golden = await GoldenTensors.open(path.join(directory, one.file));
    try {
      return await compareCase(golden, one, policy);
    } finally {
      await golden.close();
    }
  } catch (error) {
    const notes = [`${one.id}: ${messageOf(error)}`];
    return { selectionIdentical: false, error: Number.POSITIVE_INFINITY, notes };
  }
}

async function compareCase(golden: GoldenTensors, one: KvCase, policy: Policy): Promise<CaseResult> {
  const runtime = await openRuntime({ threads: 1, attention: 'auto', device: 'cpu' });
  const budget: Budget = { kind: 'ratio', recent: one.recent_ratio, important: one.hh_ratio };
  const place = { layer: 0, layers: 1, heads: one.heads, headDim: one.head_dim, length: one.seq_len };
  try {
    const layer = await prefillLayer(runtime, golden, one, policyNeeds(policy, budget, place));
    const sums = layer.statistics.columnSums(layer.length);
    const sumError = largestDifference(sums, await golden.floats('attn_colsum'));
    const compressor = new LayerCompressor(layer, {
      nearestKeys: await openNearestKeySearch(runtime, one.head_dim),
      channels: await openChannelArithmetic(runtime),
      capacityFor: (rows) => rows,
      pool: new FloatPool(),
    });
    const compressed = await compressor.compress(policy, budget, one.seq_len);
    const given = one.selection_undefined ? await givenSelection(compressor, golden, policy) : null;
    const seen = given === null ? compressed : { ...compressed, cache: given };
    const { identical, error } = await compareCache(golden, one, layer, seen);
    const notes: string[] = [];
    if (!(sumError <= columnSumTolerance)) notes.push(`${one.id}: column sums differ by ${sumError}`);
    if (!identical) notes.push(`${one.id}: kept indices or merge targets differ`);
    if (!(error <= cacheTolerance)) notes.push(`${one.id}: K or V differ by ${error}`);
    return { selectionIdentical: identical, error, notes };
  } finally {
    await runtime.close();
  }
}

/** The rows of the recorded selection, merged by the policy's rule. */
async function givenSelection(
  compressor: LayerCompressor,
  golden: GoldenTensors,
  policy: Policy,
): Promise<CompressedLayer['cache']> {
  const kept = await golden.integers('keep_idx');
  const rows = golden.dims('keep_idx')[1]!;
  invariant(policy.kind === 'compress', 'the full cache has no selection');
  return compressor.compressSelection({ rows, kept }, policy.composition.merge);
}

async function prefillLayer(
  runtime: Runtime,
  golden: GoldenTensors,
  one: KvCase,
  needs: StatisticNeeds,
): Promise<LayerInput> {
  const { heads, head_dim: headDim, seq_len: length } = one;
  const [queries, keys, values] = [
    await golden.floats('q'),
    await golden.floats('k'),
    await golden.floats('v'),
  ];
  const statistics = new AttentionRecorder({ heads, kvHeads: heads });
  const attend = await openPrefillAttention(runtime, { heads, kvHeads: heads, headDim }, length);
  for (const { start, count: rows } of chunkPlan(length, [length - 1])) {
    const chunk = (data: Float32Array) =>
      floats(tokenMajorRows(data, { heads, headDim, length, start, rows }), [1, rows, heads * headDim]);
    const result = await attend({
      start,
      count: rows,
      query: chunk(queries),
      key: chunk(keys),
      value: chunk(values),
      keys,
      values,
      capacity: length,
      needs,
    });
    statistics.add(result.statistics);
  }
  const modality = new Uint8Array(length);
  for (const [start, span] of one.image_spans) modality.fill(1, start, start + span);
  const place = { layer: 0, layers: 1, seed: 0 };
  return { ...place, heads, headDim, length, capacity: length, keys, values, modality, statistics };
}

/** Rows `start..start+rows-1` of [heads, length, headDim] as [rows, heads * headDim]. */
function tokenMajorRows(
  data: Float32Array,
  at: { heads: number; headDim: number; length: number; start: number; rows: number },
): Float32Array {
  const { heads, headDim, length, start, rows } = at;
  const moved = new Float32Array(rows * heads * headDim);
  for (let row = 0; row < rows; row++) {
    for (let head = 0; head < heads; head++) {
      const from = (head * length + start + row) * headDim;
      moved.set(data.subarray(from, from + headDim), (row * heads + head) * headDim);
    }
  }
  return moved;
}

/** A recorded crash has no output to compare: a finite cache that is not empty is asked for, and a remark. */
async function compareCache(
  golden: GoldenTensors,
  one: KvCase,
  layer: LayerInput,
  { cache, remark }: CompressedLayer,
): Promise<{ identical: boolean; error: number }> {
  switch (one.outcome) {
    case 'error': {
      const finite = cache.keys.every(Number.isFinite) && cache.values.every(Number.isFinite);
      return { identical: finite && cache.rows > 0 && remark !== null, error: 0 };
    }
    case 'unchanged': {
      const error = Math.max(
        largestDifference(cache.keys, layer.keys),
        largestDifference(cache.values, layer.values),
      );
      return { identical: cache.rows === layer.length, error };
    }
    case 'compressed': {
      const error = Math.max(
        largestDifference(cache.keys, await golden.floats('k_out')),
        largestDifference(cache.values, await golden.floats('v_out')),
      );
      const kept = sameIntegers(cache.kept, await golden.integers('keep_idx'));
      return { identical: kept && (await sameMerges(golden, cache)), error };
    }
  }
}

async function sameMerges(golden: GoldenTensors, { merged }: CompressedLayer['cache']): Promise<boolean> {
  if (!golden.has('merge_target')) return merged === undefined;
  const targets = await golden.integers('merge_target');
  const evicted = await golden.integers('pruned_idx');
  if (merged === undefined) return targets.length === 0;
  return sameIntegers(merged.targets, targets) && sameIntegers(merged.evicted, evicted);
}
