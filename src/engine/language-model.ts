import path from 'node:path';
import type { BundleManifest, TextConfig } from '../backbone/bundle-manifest.js';
import { FloatPool } from '../core/float-pool.js';
import { type Attention, openAttention } from './attention.js';
import { DecoderPass } from './decoder-pass.js';
import { areMapped } from './mapped-weights.js';
import type { Graph, Runtime } from './runtime.js';

/** The decoder of a backbone, loaded: weights in segment graphs, attention in weightless graphs shared by all layers. */
export interface LanguageModel {
  readonly config: TextConfig;
  /**
   * `layers + 1` graphs. Segment l computes the output projection and MLP of layer l-1 and Q, K, V of layer l;
   * the last one the logits of its rows.
   */
  readonly segments: readonly Graph[];
  /** The same for a few tokens of different sequences. */
  readonly pass: DecoderPass;
  readonly attention: Attention;
  /** Work done since the model was opened. */
  readonly counters: { prefills: number };
  /** Arrays for K and V, handed on from sample to sample. */
  readonly pool: FloatPool;
}

/** Where the graphs of a language model lie: a bundle, or no more of it than that. */
export interface LanguageModelFiles {
  readonly directory: string;
  readonly manifest: Pick<BundleManifest, 'text'> & {
    readonly weights: Pick<BundleManifest['weights'], 'layers'>;
    readonly graphs: Pick<BundleManifest['graphs'], 'segments'>;
  };
}

/**
 * Weights that a token passes, up to which a decode step is faster on one thread: handing its products out to several
 * costs more than they save. Such a model is loaded a second time for decoding, which is as small a cost.
 */
const mostSingleThreadedWeights = 16 * 2 ** 20;

/** Weights of the decoder layers; a token takes two operations for each. */
export function layerWeights({
  layers,
  hiddenSize,
  intermediateSize,
  heads,
  kvHeads,
  headDim,
}: TextConfig): number {
  return layers * hiddenSize * (2 * (heads + kvHeads) * headDim + 3 * intermediateSize);
}

/** @throws UserError when a graph cannot be loaded */
export async function openLanguageModel(
  runtime: Runtime,
  bundle: LanguageModelFiles,
): Promise<LanguageModel> {
  const { text, weights, graphs } = bundle.manifest;
  const bytes = layerWeights(text) * Float32Array.BYTES_PER_ELEMENT;
  const mapsWeights = areMapped(weights.layers, bytes);
  const openSegments = async (threads: number): Promise<Graph[]> => {
    const segments: Graph[] = [];
    for (const file of graphs.segments) {
      const options = { threads, onDevice: true, keepsWorkspace: false, mapsWeights };
      segments.push(await runtime.open(path.join(bundle.directory, file), options));
    }
    return segments;
  };
  const segments = await openSegments(runtime.threads);
  const decodeThreads = layerWeights(text) <= mostSingleThreadedWeights ? 1 : runtime.threads;
  return {
    config: text,
    segments,
    pass: new DecoderPass(
      text,
      decodeThreads === runtime.threads ? segments : await openSegments(decodeThreads),
    ),
    attention: await openAttention(runtime, text, { mostKeys: text.maxPositions, decodeThreads }),
    counters: { prefills: 0 },
    pool: new FloatPool(),
  };
}
