import type { LlamaShape } from '../checkpoint/llama-config.js';
import type { LlamaLayer, LlamaWeights } from '../checkpoint/llama-weights.js';
import { type ExternalTensor, GraphBuilder } from '../onnx/graph-builder.js';
import { addProduct, type StoredMatrix } from '../onnx/stored-matrix.js';

/** Where the weights of the language model lie; the token rows are looked up outside the graphs. */
export interface LlamaTensors extends Omit<LlamaWeights<ExternalTensor, StoredMatrix>, 'embedding'> {
  /** Rotary tables, [maxPositions, headDim / 2]. */
  readonly cos: ExternalTensor;
  readonly sin: ExternalTensor;
}

/** Rows of a sequence: the free dimension of every segment. */
const rows = 'S';

/**
 * The language model cut at its attentions: segment l (0 to layers) holds everything between the
 * attention of layer l-1 and that of layer l.
 *
 * | segment | inputs | outputs |
 * | --- | --- | --- |
 * | first | `hidden` [1,S,D], `positions` int64 [1,S] | `q` [1,S,H*d], `k`, `v` [1,S,KV*d] |
 * | middle | `hidden`, `attention` [1,S,H*d], `positions` | `hidden_out` [1,S,D], `q`, `k`, `v` |
 * | last | `hidden`, `attention` | `logits` [1,S,V] |
 *
 * `q` and `k` are rotated; q is not scaled. Source: transformers' `modeling_llama.py`, float32 throughout.
 */
export function llamaSegment(shape: LlamaShape, tensors: LlamaTensors, segment: number): Uint8Array {
  const graph = new SegmentGraph(shape, tensors);
  const hidden = graph.builder.input('hidden', 'f32', [1, rows, shape.hiddenSize]);
  if (segment === 0) {
    graph.queryKeyValue(0, graph.inputNorm(hidden));
    return graph.builder.bytes();
  }
  const attention = graph.builder.input('attention', 'f32', [1, rows, shape.heads * shape.headDim]);
  if (segment === shape.layers) {
    const { normed } = graph.afterAttention(segment - 1, hidden, attention);
    graph.logits(normed);
    return graph.builder.bytes();
  }
  const { normed, residual } = graph.afterAttention(segment - 1, hidden, attention);
  graph.builder.output(residual, 'f32', [1, rows, shape.hiddenSize]);
  graph.queryKeyValue(segment, normed);
  return graph.builder.bytes();
}

class SegmentGraph {
  readonly builder = new GraphBuilder();
  readonly #shape: LlamaShape;
  readonly #tensors: LlamaTensors;

  constructor(shape: LlamaShape, tensors: LlamaTensors) {
    this.#shape = shape;
    this.#tensors = tensors;
  }

  /** RMSNorm before the first layer. */
  inputNorm(hidden: string): string {
    const weight = this.#vector('layers.0.inputNorm', this.#layer(0).inputNorm);
    return this.builder.op('SimplifiedLayerNormalization', [hidden, weight], {
      axis: -1,
      epsilon: { float: this.#shape.rmsNormEps },
    });
  }

  /** Outputs `q`, `k` (both rotated) and `v` of a layer. */
  queryKeyValue(layer: number, normed: string): void {
    const { heads, kvHeads, headDim, maxPositions } = this.#shape;
    const weights = this.#layer(layer);
    const positions = this.builder.input('positions', 'i64', [1, rows]);
    const table = [maxPositions, headDim / 2];
    const cos = this.builder.external('cos', 'f32', table, this.#tensors.cos);
    const sin = this.builder.external('sin', 'f32', table, this.#tensors.sin);
    for (const part of ['q', 'k'] as const) {
      const projected = this.#linear(normed, `layers.${layer}.${part}`, weights[part]);
      this.builder.microsoft('RotaryEmbedding', [projected, positions, cos, sin], {}, part);
    }
    this.#linear(normed, `layers.${layer}.v`, weights.v, 'v');
    this.builder.output('q', 'f32', [1, rows, heads * headDim]);
    for (const name of ['k', 'v']) this.builder.output(name, 'f32', [1, rows, kvHeads * headDim]);
  }

  /** What follows the attention of a layer: output projection and MLP, each added, then the next RMSNorm. */
  afterAttention(layer: number, hidden: string, attention: string): { normed: string; residual: string } {
    const { layers } = this.#shape;
    const name = `layers.${layer}`;
    const weights = this.#layer(layer);
    const projected = this.#linear(attention, `${name}.o`, weights.o);
    const middle = this.#addAndNorm(
      hidden,
      projected,
      this.#vector(`${name}.attentionNorm`, weights.attentionNorm),
      { normed: 'mlp_in', residual: 'attended' },
    );
    const gate = this.#linear(middle.normed, `${name}.gate`, weights.gate);
    const up = this.#linear(middle.normed, `${name}.up`, weights.up);
    // x * sigmoid(x), which is SiLU
    const silu = this.builder.microsoft('QuickGelu', [gate], { alpha: { float: 1 } });
    const product = this.builder.op('Mul', [silu, up]);
    const down = this.#linear(product, `${name}.down`, weights.down);
    const next = layer + 1;
    const norm =
      next === layers
        ? this.#vector('norm', this.#tensors.norm)
        : this.#vector(`layers.${next}.inputNorm`, this.#layer(next).inputNorm);
    return this.#addAndNorm(middle.residual, down, norm, { normed: 'normed', residual: 'hidden_out' });
  }

  logits(normed: string): void {
    this.#linear(normed, 'head', this.#tensors.head, 'logits');
    this.builder.output('logits', 'f32', [1, rows, this.#shape.vocabSize]);
  }

  #addAndNorm(
    residual: string,
    update: string,
    weight: string,
    names: { readonly normed: string; readonly residual: string },
  ): { normed: string; residual: string } {
    this.builder.microsoftMulti(
      'SkipSimplifiedLayerNormalization',
      [residual, update, weight],
      [names.normed, '', '', names.residual],
      { epsilon: { float: this.#shape.rmsNormEps } },
    );
    return names;
  }

  #linear(value: string, name: string, matrix: StoredMatrix, output?: string): string {
    return addProduct(this.builder, value, { name, matrix, ...(output === undefined ? {} : { output }) });
  }

  #vector(name: string, where: ExternalTensor): string {
    return this.builder.external(name, 'f32', [this.#shape.hiddenSize], where);
  }

  #layer(layer: number): LlamaLayer<ExternalTensor, StoredMatrix> {
    return this.#tensors.layers[layer]!;
  }
}
