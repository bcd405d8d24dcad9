import type { CacheRows, CompressedLayer } from '../../src/compression/compressed-layer.js';
import { type CompressionTools, LayerCompressor } from '../../src/compression/layer-compressor.js';
import type { LayerInput } from '../../src/compression/layer-input.js';
import { type MethodSemantics, MethodSet } from '../../src/compression/method-set.js';
import type { Policy } from '../../src/compression/policy.js';
import type { Budget } from '../../src/core/budget.js';
import { invariant } from '../../src/core/errors.js';
import { referenceChannels } from './channel-arithmetic.js';
import { referenceNearestKeys } from './nearest-keys.js';
import { PoisonedPool } from './poisoned-pool.js';

/** Compression without ONNX Runtime; buffers have room beyond the rows. */
export const plainTools: CompressionTools = {
  channels: referenceChannels,
  nearestKeys: referenceNearestKeys,
  capacityFor: (rows) => rows + 3,
  pool: new PoisonedPool(),
};

const registered = new MethodSet();

/** A method of the registry or one of its matched forms. */
export function policyOf(method: string, semantics: MethodSemantics): Policy {
  return registered.policy(method, semantics);
}

/** A result whose rows are as evicting and merging left them. */
export function unquantised({ cache, ...about }: CompressedLayer): CompressedLayer<CacheRows> {
  invariant(cache.type === 'float32', 'the rows are quantised');
  return { ...about, cache };
}

/** One policy without quantisation on one layer, alone. */
export async function compressAlone(
  layer: LayerInput,
  policy: Policy,
  budget: Budget | null,
  { length = layer.length, tools = plainTools }: { length?: number; tools?: CompressionTools } = {},
): Promise<CompressedLayer<CacheRows>> {
  const compressor = new LayerCompressor(layer, tools);
  const compressed = await compressor.compress(policy, budget, length);
  compressor.close();
  return unquantised(compressed);
}

/** Conserved positions of one head. */
export function keptOf({ rows, kept }: CacheRows, head: number): number[] {
  return Array.from(kept.subarray(head * rows, (head + 1) * rows));
}

/** Rows of one head of [heads, capacity, headDim]. */
export function headRows(
  data: Float32Array,
  at: {
    readonly head: number;
    readonly rows: number;
    readonly capacity: number;
    readonly headDim: number;
  },
): number[][] {
  return Array.from({ length: at.rows }, (_, row) => {
    const from = (at.head * at.capacity + row) * at.headDim;
    return Array.from(data.subarray(from, from + at.headDim));
  });
}
