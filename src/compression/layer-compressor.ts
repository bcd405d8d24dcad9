import type { Budget } from '../core/budget.js';
import type { FloatPool } from '../core/float-pool.js';
import type { BoundComposition } from './composition.js';
import type { CacheRows, CompressedLayer, MergeTrace, Outcome, QuantisedRows } from './compressed-layer.js';
import { gatherRows } from './gather-rows.js';
import { keyNorms } from './key-norms.js';
import type { LayerInput } from './layer-input.js';
import { addRows, countRows } from './merge/add-rows.js';
import { assignEvicted } from './merge/assignment.js';
import { foldRows, type RowSums } from './merge/fold-rows.js';
import type { MergeRule, Pairing } from './merge/merge-rule.js';
import type { NearestKeySearch } from './merge/nearest-key.js';
import { allocatedRows, type CompressingPolicy, type Policy } from './policy.js';
import { tiers } from './prior/prior.js';
import type { ChannelArithmetic, Quantise } from './quantise/quantise.js';
import { type RowBudget, totalRows } from './row-budget.js';
import type { Selection } from './select/selection.js';
import type { Chosen } from './stage.js';
import { StepMemo, type Steps, totalTime } from './step-memo.js';

export interface CompressionTools {
  readonly nearestKeys: NearestKeySearch;
  /** For policies that quantise. */
  readonly channels: ChannelArithmetic;
  /** Rows to allocate per head for a layer that starts with `rows`; at least `rows`. */
  readonly capacityFor: (rows: number) => number;
  /** Where the arrays of the results and scratch come from. */
  readonly pool: FloatPool;
}

type KeepAllReason = Extract<Outcome, { kind: 'unchanged' }>['reason'];

/** A selection with a name; equal rows in equal order have one, whatever rule chose them. */
interface NamedSelection {
  readonly name: string;
  readonly selection: Selection;
}

/** Rows with the name of the step that made them. */
interface NamedRows {
  readonly name: string;
  readonly rows: CacheRows;
}

/** What a policy decides before any row is copied. */
type Decision = { readonly nominal: RowBudget; readonly remark: string | null } & (
  | { readonly kind: 'all'; readonly reason: KeepAllReason }
  | { readonly kind: 'some'; readonly named: NamedSelection }
);

/**
 * Compresses one layer under many policies. Scores, selections, nearest keys and sums are computed once for all policies
 * that need the same, and policies that do the same to the layer share its rows. The layer is not changed and not
 * referred to by the results. Close it when the layer is done.
 */
export class LayerCompressor {
  readonly #layer: LayerInput;
  readonly #tools: CompressionTools;
  readonly #memo = new StepMemo();
  readonly #selections: (NamedSelection & { readonly length: number })[] = [];
  readonly #scratch: Float32Array[] = [];
  /** Rows that no policy has asked for as they are: those before merging or quantising. */
  readonly #unclaimed = new Set<CacheRows>();

  constructor(layer: LayerInput, tools: CompressionTools) {
    this.#layer = layer;
    this.#tools = tools;
  }

  /** @param length prompt rows that compression sees; the layer's or fewer */
  async compress(policy: Policy, budget: Budget | null, length: number): Promise<CompressedLayer> {
    const steps: Steps = new Map();
    const layer = { ...this.#layer, length };
    const decision = this.#decide(policy, budget, layer, steps);
    const { nominal, remark } = decision;
    if (decision.kind === 'all') {
      const rows = await this.#rowsOf(layer, this.#everything(layer, steps), null, steps);
      const cache = await this.#stored(layer, rows, policy.quantise, steps);
      const outcome = { kind: 'unchanged', reason: decision.reason } as const;
      return { outcome, cache, nominal, remark, milliseconds: totalTime(steps) };
    }
    const merge = policy.kind === 'compress' ? policy.composition.merge : null;
    const rows = await this.#rowsOf(layer, decision.named, merge, steps);
    const cache = await this.#stored(layer, rows, policy.quantise, steps);
    return { outcome: { kind: 'compressed' }, cache, nominal, remark, milliseconds: totalTime(steps) };
  }

  /** The rows of a selection given from outside, merged by a rule. */
  async compressSelection(selection: Selection, merge: Chosen<MergeRule | null>): Promise<CacheRows> {
    const { rows } = await this.#rowsOf(this.#layer, this.#named(this.#layer, selection), merge, new Map());
    this.#unclaimed.delete(rows);
    return rows;
  }

  /** Gives scratch memory back. */
  close(): void {
    for (const { keys, values } of this.#unclaimed) this.#scratch.push(keys, values);
    this.#unclaimed.clear();
    for (const scratch of this.#scratch.splice(0)) this.#tools.pool.give(scratch);
  }

  #decide(policy: Policy, budget: Budget | null, layer: LayerInput, steps: Steps): Decision {
    const { length } = layer;
    if (policy.kind === 'full' || budget === null) {
      const nominal = { recent: length, important: 0 };
      return { kind: 'all', reason: 'full cache', nominal, remark: null };
    }
    if (policy.matches !== null) return this.#match(policy, policy.matches, budget, layer, steps);
    const { frame } = policy;
    const nominal = allocatedRows(policy, budget, layer);
    const total = totalRows(nominal);
    const all = (reason: KeepAllReason, remark: string | null): Decision => ({
      ...{ kind: 'all', reason, nominal, remark },
    });
    if (frame.textPrompts === 'left alone' && !layer.modality.subarray(0, length).includes(1)) {
      return all('no image in the prompt', null);
    }
    if (length < total || (length === total && frame.leavesAlone === 'up to the budget')) {
      return all('prompt within budget', null);
    }
    const remark = policy.remark({ length, budget: nominal });
    if (total === 0 && frame.zeroBudget === 'full cache') return all('zero budget', remark);
    const named = this.#select(policy.composition, { scored: nominal, rows: nominal }, layer, steps);
    return { kind: 'some', nominal, remark, named };
  }

  /** Whatever the target keeps, this policy keeps as many: nothing stays beyond that. */
  #match(
    { composition }: CompressingPolicy,
    target: CompressingPolicy,
    budget: Budget,
    layer: LayerInput,
    steps: Steps,
  ): Decision {
    const decision = this.#decide(target, budget, layer, steps);
    const { nominal } = decision;
    if (decision.kind === 'all') return { ...decision, remark: null };
    const { rows } = decision.named.selection;
    const recent = Math.min(nominal.recent, rows);
    const own = { scored: nominal, rows: { recent, important: rows - recent } };
    const named = this.#select(composition, own, layer, steps, 'nothing beyond the budget');
    return { kind: 'some', nominal, remark: null, named };
  }

  /** @param budget.scored what scores are asked for, and `rows` to fill: others only for a matched policy */
  #select(
    { score, prior, select }: BoundComposition,
    budget: { readonly scored: RowBudget; readonly rows: RowBudget },
    layer: LayerInput,
    steps: Steps,
    limit: 'none' | 'nothing beyond the budget' = 'none',
  ): NamedSelection {
    const { length } = layer;
    const scored = select.rule.window(budget.scored);
    const rows = select.rule.window(budget.rows);
    const scoreName = `score ${length}, ${score.id}${score.rule.dependsOnBudget ? `, ${shown(scored)}` : ''}`;
    const scores = this.#memo.once(scoreName, steps, () => score.rule.compute(layer, scored));
    const priorName = `prior ${length}, ${prior.id}, limit ${limit}`;
    const positions = this.#memo.once(priorName, steps, () => {
      const tier = prior.rule(layer);
      return limit === 'none' ? tier : tier.map((one) => Math.min(one, tiers.preferred));
    });
    const name = `select ${select.id}, ${shown(rows)} of ${scoreName} and ${priorName}`;
    return this.#memo.once(name, steps, () =>
      this.#named(layer, select.rule.select({ layer, budget: rows, scores, positions })),
    );
  }

  #everything(layer: LayerInput, steps: Steps): NamedSelection {
    const { heads, length } = layer;
    return this.#memo.once(`everything ${length}`, steps, () => {
      const kept = new Int32Array(heads * length);
      for (let i = 0; i < kept.length; i++) kept[i] = i % length;
      return this.#named(layer, { rows: length, kept });
    });
  }

  /** The selection under the name of an equal one, if there is one already. */
  #named({ length }: LayerInput, selection: Selection): NamedSelection {
    const equal = this.#selections.find(
      (one) => one.length === length && sameIntegers(one.selection.kept, selection.kept),
    );
    if (equal !== undefined) return equal;
    const named = { name: `rows ${this.#selections.length}`, selection, length };
    this.#selections.push(named);
    return named;
  }

  /** The rows in the element type that a policy decodes from. */
  async #stored(
    layer: LayerInput,
    { name, rows }: NamedRows,
    quantise: Chosen<Quantise> | null,
    steps: Steps,
  ): Promise<CacheRows | QuantisedRows> {
    if (quantise === null) {
      this.#unclaimed.delete(rows);
      return rows;
    }
    const { channels } = this.#tools;
    const largest = await this.#memo.onceAsync(`largest ${layer.length}`, steps, async () => {
      const prompt = { ...layer, rows: layer.length };
      const keys = await channels.largest({ ...prompt, data: layer.keys });
      return { keys, values: await channels.largest({ ...prompt, data: layer.values }) };
    });
    return this.#memo.onceAsync(`quantise ${quantise.id}, ${name}`, steps, async () => {
      const { heads, headDim } = layer;
      return { ...rows, ...(await quantise.rule.apply({ ...rows, heads, headDim }, largest, this.#tools)) };
    });
  }

  async #rowsOf(
    layer: LayerInput,
    named: NamedSelection,
    merge: Chosen<MergeRule | null> | null,
    steps: Steps,
  ): Promise<NamedRows> {
    const { name, selection } = named;
    const merges = merge !== null && selection.rows > 0 && selection.rows < layer.length;
    const rule = merges ? merge.rule : null;
    const evictedName = `evict, ${name}`;
    const evicted = this.#memo.once(evictedName, steps, () => {
      const rows = this.#evict(layer, selection);
      this.#unclaimed.add(rows);
      return rows;
    });
    if (rule === null) return { name: evictedName, rows: evicted };
    const norms = this.#memo.once(`norms ${layer.length}`, steps, () => keyNorms(layer));
    const assignment = await this.#memo.onceAsync(`assign, ${name}`, steps, () =>
      assignEvicted({ layer, selection, norms, ...evicted, ...this.#tools }),
    );
    const pairing = this.#memo.once(`pair ${rule.pairing.name}, ${name}`, steps, () =>
      rule.pairing.pair(assignment),
    );
    const sums = this.#memo.once(`sums ${rule.pairing.name}, ${name}`, steps, () =>
      this.#sum(layer, selection.rows, pairing),
    );
    const mergedName = `merge ${merge?.id}, ${name}`;
    const rows = this.#memo.once(mergedName, steps, () => {
      const fold = (source: Float32Array, added: Float32Array): Float32Array => {
        const target = this.#tools.pool.take(source.length);
        const { rows, capacity } = evicted;
        const { heads, headDim } = layer;
        foldRows({ heads, headDim, rows, capacity, source, target, counts: sums.counts, sums: added, rule });
        return target;
      };
      const keys = fold(evicted.keys, sums.keys);
      const values = fold(evicted.values, sums.values);
      const merged: MergeTrace = { evicted: assignment.evicted, targets: assignment.targets };
      const rows: CacheRows = { ...evicted, keys, values, merged };
      this.#unclaimed.add(rows);
      return rows;
    });
    return { name: mergedName, rows };
  }

  #sum(layer: LayerInput, rows: number, pairing: Pairing): RowSums {
    const counts = countRows(pairing, layer.heads, rows);
    const sumsOf = (source: Float32Array): Float32Array => {
      const sums = this.#tools.pool.take(layer.heads * rows * layer.headDim);
      this.#scratch.push(sums);
      addRows({ sums: sums.fill(0), rows, source, layer, pairing });
      return sums;
    };
    return { counts, keys: sumsOf(layer.keys), values: sumsOf(layer.values) };
  }

  #evict(layer: LayerInput, { rows, kept }: Selection): CacheRows {
    const { heads, headDim } = layer;
    const { capacityFor, pool } = this.#tools;
    const capacity = capacityFor(rows);
    const gather = (source: Float32Array): Float32Array => {
      const target = pool.take(heads * capacity * headDim);
      for (let head = 0; head < heads; head++) {
        gatherRows({
          target,
          targetRow: head * capacity,
          source,
          sourceRow: head * layer.capacity,
          width: headDim,
          positions: kept.subarray(head * rows, (head + 1) * rows),
        });
        // Masked rows still take part in a product with zero, which must not meet a NaN of earlier use.
        target.fill(0, (head * capacity + rows) * headDim, (head + 1) * capacity * headDim);
      }
      return target;
    };
    const buffers = { type: 'float32', keys: gather(layer.keys), values: gather(layer.values) } as const;
    return { rows, capacity, ...buffers, kept };
  }
}

function shown({ recent, important }: RowBudget): string {
  return `${recent} recent + ${important}`;
}

function sameIntegers(a: Int32Array, b: Int32Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
