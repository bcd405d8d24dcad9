import type { LayerInput, RowBudget } from './layer-input.js';
import type { MergeRule } from './merge/merge-evicted.js';
import type { Selection } from './select/recent-and-important.js';

/** [heads, length] importance of every prompt position. */
export type ScoreRule = (layer: LayerInput) => Float32Array;

/** [length], 1 where a position is preferred whatever its score. */
export type PriorRule = (layer: LayerInput) => Uint8Array;

export type SelectRule = (
  layer: LayerInput,
  budget: RowBudget,
  scores: Float32Array,
  preferred: Uint8Array | null,
) => Selection;

/** The stages of a method that evicts: score -> prior -> select -> merge. */
export interface Stages {
  readonly score: ScoreRule;
  readonly prior: PriorRule | null;
  readonly select: SelectRule;
  readonly merge: MergeRule | null;
  /** What the method leaves of a layer when both budget ratios truncate to zero rows. */
  readonly zeroBudget: 'empty cache' | 'full cache';
}

/** A cache policy as data. `stages: null` keeps the full cache. */
export interface Method {
  readonly name: string;
  readonly title: string;
  /** Bumped when the same input would give another cache; enters every record's key. */
  readonly version: number;
  readonly semantics: 'release';
  readonly summary: string;
  /** What the published code calls it (`kv_mode`); null where it has no such mode. */
  readonly releaseMode: string | null;
  readonly stages: Stages | null;
}
