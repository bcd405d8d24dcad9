import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { BundleManifest, PromptTemplate } from '../../src/backbone/bundle-manifest.js';

/** A template for conversions whose prompt does not matter. */
export const anyPrompt: PromptTemplate = {
  name: 'plain',
  before: 'Q: ',
  after: ' A:',
  stopStrings: ['</s>'],
};

export function openGraph(path: string): Promise<InferenceSession> {
  return InferenceSession.create(path, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}

/** The float32 data of a named output; throws when the graph has none. */
export function floats(outputs: InferenceSession.OnnxValueMapType, name: string): Float32Array {
  const data = outputs[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`no float output ${name}`);
  return data;
}

/** Largest absolute difference; NaN anywhere gives NaN. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  let worst = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= worst)) worst = difference;
  }
  return worst;
}

/** Runs the vision graph on one image, [3, S, S]. */
export async function runVision(
  dir: string,
  manifest: BundleManifest,
  pixels: Float32Array,
): Promise<{ features: Float32Array; tower: Float32Array; embeddings: Float32Array }> {
  const session = await openGraph(join(dir, manifest.graphs.vision));
  const size = manifest.vision.imageSize;
  const outputs = await session.run({ pixels: new Tensor('float32', pixels, [1, 3, size, size]) });
  await session.release();
  return {
    features: floats(outputs, 'features'),
    tower: floats(outputs, 'tower'),
    embeddings: floats(outputs, 'embeddings'),
  };
}

/** Keys (rotated) and values of one layer, [kvHeads, L, headDim], with the last logits. */
export interface PrefillResult {
  readonly keys: Float32Array[];
  readonly values: Float32Array[];
  readonly logits: Float32Array;
}

/** Prefill of `embeddings` [L, D] through all segments with a slow causal attention in float64 between them. */
export async function runSegments(
  dir: string,
  { text, graphs }: BundleManifest,
  embeddings: Float32Array,
): Promise<PrefillResult> {
  const length = embeddings.length / text.hiddenSize;
  const result = { keys: [] as Float32Array[], values: [] as Float32Array[] };
  const positions = new Tensor(
    'int64',
    BigInt64Array.from({ length }, (_, i) => BigInt(i)),
    [1, length],
  );
  let hidden = new Tensor('float32', embeddings, [1, length, text.hiddenSize]);
  let attention: Tensor | undefined;
  for (const [segment, file] of graphs.segments.entries()) {
    const session = await openGraph(join(dir, file));
    const last = segment === text.layers;
    const outputs = await session.run({
      hidden,
      ...(attention === undefined ? {} : { attention }),
      ...(last ? {} : { positions }),
    });
    await session.release();
    if (last) return { ...result, logits: floats(outputs, 'logits').slice(-text.vocabSize) };
    if (segment > 0) hidden = new Tensor('float32', floats(outputs, 'hidden_out'), hidden.dims);
    const [q, k, v] = ['q', 'k', 'v'].map((name) => floats(outputs, name)) as [
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    result.keys.push(headMajor(k, length, text.kvHeads, text.headDim));
    result.values.push(headMajor(v, length, text.kvHeads, text.headDim));
    const attended = causalAttention({ q, k, v, length, ...text });
    attention = new Tensor('float32', attended, [1, length, text.heads * text.headDim]);
  }
  throw new Error('the bundle has no last segment');
}

function headMajor(rows: Float32Array, length: number, heads: number, headDim: number): Float32Array {
  const out = new Float32Array(rows.length);
  for (let t = 0; t < length; t++) {
    for (let h = 0; h < heads; h++) {
      out.set(
        rows.subarray((t * heads + h) * headDim, (t * heads + h + 1) * headDim),
        (h * length + t) * headDim,
      );
    }
  }
  return out;
}

function causalAttention(input: {
  q: Float32Array;
  k: Float32Array;
  v: Float32Array;
  length: number;
  heads: number;
  kvHeads: number;
  headDim: number;
}): Float32Array {
  const { q, k, v, length, heads, kvHeads, headDim } = input;
  const out = new Float32Array(length * heads * headDim);
  const scores = new Float64Array(length);
  const sum = new Float64Array(headDim);
  for (let h = 0; h < heads; h++) {
    const kv = Math.floor(h / (heads / kvHeads));
    for (let t = 0; t < length; t++) {
      let largest = Number.NEGATIVE_INFINITY;
      for (let s = 0; s <= t; s++) {
        let dot = 0;
        for (let d = 0; d < headDim; d++) {
          dot += q[(t * heads + h) * headDim + d]! * k[(s * kvHeads + kv) * headDim + d]!;
        }
        scores[s] = dot / Math.sqrt(headDim);
        largest = Math.max(largest, scores[s]!);
      }
      let total = 0;
      sum.fill(0);
      for (let s = 0; s <= t; s++) {
        const weight = Math.exp(scores[s]! - largest);
        total += weight;
        for (let d = 0; d < headDim; d++) sum[d]! += weight * v[(s * kvHeads + kv) * headDim + d]!;
      }
      for (let d = 0; d < headDim; d++) out[(t * heads + h) * headDim + d] = sum[d]! / total;
    }
  }
  return out;
}
