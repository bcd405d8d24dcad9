import path from 'node:path';
import type { BundleManifest, TextConfig } from '../backbone/bundle-manifest.js';
import { FloatPool } from '../core/float-pool.js';
import { type DecodeAttention, openDecodeAttention } from './decode-attention.js';
import { openPrefillAttention, type PrefillAttention } from './prefill-attention.js';
import type { Graph, Runtime } from './runtime.js';

/** The decoder of a backbone, loaded: weights in segment graphs, attention in weightless graphs shared by all layers. */
export interface LanguageModel {
  readonly config: TextConfig;
  /**
   * `layers + 1` graphs. Segment l computes the output projection and MLP of layer l-1 and Q, K, V of layer l;
   * the last one the logits of its last row.
   */
  readonly segments: readonly Graph[];
  readonly prefillAttention: PrefillAttention;
  readonly decodeAttention: DecodeAttention;
  /** Work done since the model was opened. */
  readonly counters: { prefills: number };
  /** Arrays for K and V, handed on from sample to sample. */
  readonly pool: FloatPool;
}

/** @throws UserError when a graph of the bundle cannot be loaded */
export async function openLanguageModel(
  runtime: Runtime,
  bundle: { readonly directory: string; readonly manifest: BundleManifest },
): Promise<LanguageModel> {
  const { text, graphs } = bundle.manifest;
  const segments: Graph[] = [];
  for (const file of graphs.segments) segments.push(await runtime.open(path.join(bundle.directory, file)));
  return {
    config: text,
    segments,
    prefillAttention: await openPrefillAttention(runtime, text),
    decodeAttention: await openDecodeAttention(runtime, text),
    counters: { prefills: 0 },
    pool: new FloatPool(),
  };
}
