import type { TextConfig } from '../backbone/bundle-manifest.js';
import type { MethodSet } from '../compression/method-set.js';
import { mostRows } from '../compression/most-rows.js';
import { cacheTypeOf } from '../compression/policy.js';
import type { Decoding } from '../config/protocols.js';
import { type CacheType, cacheBytes } from '../core/cache-buffers.js';
import { cacheCapacity } from '../engine/layer-cache.js';
import type { Cell } from './record.js';

type CacheShape = Pick<TextConfig, 'layers' | 'kvHeads' | 'headDim'>;

/** Tokens of a prompt that compression sees: under `cache` the last one runs on the compressed cache. */
export function compressedLength(cell: Cell, length: number): number {
  return cell.firstToken === 'cache' ? length - 1 : length;
}

/** Bytes of a cache. */
export interface CacheSize {
  /** From compression to the first step of its answer. */
  readonly held: number;
  /** At the end of the longest answer. */
  readonly grown: number;
}

/** Rows of a layer, and how they are stored. */
interface TypedRows {
  readonly rows: number;
  readonly type: CacheType;
}

function cacheSize(
  { kvHeads: heads, headDim }: CacheShape,
  layers: readonly TypedRows[],
  newTokens: number,
): CacheSize {
  const bytes = (more: number): number =>
    layers.reduce(
      (sum, { rows, type }) => sum + cacheBytes({ heads, headDim }, type, cacheCapacity(rows + more)),
      0,
    );
  return { held: bytes(0), grown: bytes(newTokens) };
}

/** What the cache of a cell takes at most, whatever the scores say. */
export function mostCacheSize(
  shape: CacheShape,
  methods: MethodSet,
  cell: Cell,
  {
    modality,
    newTokens,
  }: {
    /** [length], 1 where the position is an image token. */
    readonly modality: Uint8Array;
    readonly newTokens: number;
  },
): CacheSize {
  const { layers, kvHeads: heads, headDim } = shape;
  const policy = methods.policy(cell.method, cell.semantics);
  const length = compressedLength(cell, modality.length);
  const type = cacheTypeOf(policy);
  const rows = Array.from({ length: layers }, (_, layer) => ({
    rows: mostRows(policy, cell.budget, { layer, layers, heads, headDim, length }, modality),
    type,
  }));
  return cacheSize(shape, rows, newTokens);
}

/** Bytes that a cache takes while it decodes. */
export function decodingBytes(
  shape: CacheShape,
  layers: readonly { readonly cache: TypedRows }[],
  newTokens: number,
): number {
  return cacheSize(
    shape,
    layers.map(({ cache }) => cache),
    newTokens,
  ).grown;
}

/** What caches take in memory together: one grows at a time where cells decode alone, else all do. */
export interface CacheNeeds {
  /** Of every cache. */
  readonly sizes: readonly number[];
  /** Beside them. */
  readonly growth: number;
}

export function cacheNeeds(caches: readonly CacheSize[], decoding: Decoding): CacheNeeds {
  if (decoding === 'together') return { sizes: caches.map(({ grown }) => grown), growth: 0 };
  const growth = Math.max(0, ...caches.map(({ held, grown }) => grown - held));
  return { sizes: caches.map(({ held }) => held), growth };
}
