import type { TextConfig } from '../backbone/bundle-manifest.js';
import { totalRows } from '../compression/row-budget.js';
import { cacheBytes } from '../core/cache-buffers.js';
import { sha256 } from '../core/content-hash.js';
import { bytesOf } from '../core/tensor.js';
import type { StoredLayer } from './prefill-cells.js';
import type { SampleRecord } from './record.js';
import type { StoredRows } from './row-store.js';

/** What a record keeps of a cache as compression left it. */
export type CompressedCacheRecord = Omit<SampleRecord['cache'], 'bytesEnd'>;

/** Records of the caches of one prompt; rows that cells share are hashed once. */
export function cacheRecorder(
  { kvHeads, headDim }: Pick<TextConfig, 'kvHeads' | 'headDim'>,
  promptTokens: number,
): (layers: readonly StoredLayer[]) => CompressedCacheRecord {
  const shape = { heads: kvHeads, headDim };
  const hashes = new Map<StoredRows, string>();
  const keptHash = (rows: StoredRows): string => {
    const hash = hashes.get(rows) ?? sha256(bytesOf(rows.kept));
    hashes.set(rows, hash);
    return hash;
  };
  const size = (
    layers: readonly StoredLayer[],
    rowsOf: (layer: StoredLayer) => number,
  ): SampleRecord['cache']['effective'] => ({
    rows: layers.map(rowsOf),
    bytes: layers.map((layer) => cacheBytes(shape, layer.cache.type, rowsOf(layer))),
    ratio: layers.map((layer) => rowsOf(layer) / promptTokens),
  });
  return (layers) => ({
    nominal: size(layers, ({ nominal }) => totalRows(nominal)),
    effective: size(layers, ({ cache }) => cache.rows),
    keptSha256: layers.map(({ cache }) => keptHash(cache)),
    outcome: describeOutcome(layers),
    remarks: distinct(layers.flatMap(({ remark }) => remark ?? [])),
  });
}

/** What happened, once where it happened to all layers alike. */
function describeOutcome(layers: readonly StoredLayer[]): string {
  const each = layers.map(({ outcome }) =>
    outcome.kind === 'compressed' ? 'compressed' : `unchanged: ${outcome.reason}`,
  );
  return distinct(each).join(', ');
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
