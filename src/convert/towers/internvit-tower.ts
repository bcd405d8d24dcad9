import type { InternVitShape } from '../../checkpoint/towers/internvit-config.js';
import type { InternVitLayer, InternVitWeights } from '../../checkpoint/towers/internvit-weights.js';
import type { ExternalTensor, GraphBuilder } from '../../onnx/graph-builder.js';
import type { StoredMatrix } from '../../onnx/stored-matrix.js';
import { biasedLinear, linear } from '../linear.js';
import { dropClassToken, embedPatches } from './patch-embedding.js';
import type { TowerValues } from './tower-values.js';

/**
 * An InternViT on one image, [1, 3, S, S] -> [1, T, C], up to the selected hidden state; its positions are those of
 * the image's grid already. Source: InternVL's `modeling_intern_vit.py`: class token first, pre-norm blocks with
 * RMSNorm and layer scale, no norm before the first block or after the last.
 */
export function addInternVitTower(
  builder: GraphBuilder,
  shape: InternVitShape,
  tensors: InternVitWeights<ExternalTensor, StoredMatrix>,
  pixels: string,
): TowerValues {
  const embeddings = embedPatches(builder, shape, tensors.embedding, pixels);
  let hidden = embeddings;
  for (const [index, layer] of tensors.layers.entries()) {
    hidden = new EncoderLayer(builder, shape, layer, `vision.${index}`).add(hidden);
  }
  return { embeddings, features: dropClassToken(builder, hidden) };
}

class EncoderLayer {
  readonly #builder: GraphBuilder;
  readonly #shape: InternVitShape;
  readonly #layer: InternVitLayer<ExternalTensor, StoredMatrix>;
  readonly #name: string;

  constructor(
    builder: GraphBuilder,
    shape: InternVitShape,
    layer: InternVitLayer<ExternalTensor, StoredMatrix>,
    name: string,
  ) {
    this.#builder = builder;
    this.#shape = shape;
    this.#layer = layer;
    this.#name = name;
  }

  /** [1, T, C] -> [1, T, C]. */
  add(hidden: string): string {
    const { norm1, norm2, scale1, scale2 } = this.#layer;
    const attention = this.#attention(this.#rmsNorm(hidden, 'norm1', norm1));
    const attended = this.#builder.op('Add', [hidden, this.#scaled(attention, 'scale1', scale1)]);
    const mlp = this.#mlp(this.#rmsNorm(attended, 'norm2', norm2));
    return this.#builder.op('Add', [attended, this.#scaled(mlp, 'scale2', scale2)]);
  }

  #attention(input: string): string {
    const { qkv, qkvBias, proj, projBias, qNorm, kNorm } = this.#layer;
    const name = `${this.#name}.qkv`;
    const packed =
      qkvBias === undefined
        ? linear(this.#builder, input, name, qkv)
        : biasedLinear(this.#builder, input, name, { weight: qkv, bias: qkvBias });
    const [q, k, v] = [0, 1, 2].map((part) => this.#third(packed, part)) as [string, string, string];
    const heads = this.#builder.microsoft(
      'MultiHeadAttention',
      [
        qNorm === undefined ? q : this.#rmsNorm(q, 'qNorm', qNorm),
        kNorm === undefined ? k : this.#rmsNorm(k, 'kNorm', kNorm),
        v,
      ],
      { num_heads: this.#shape.heads },
    );
    return biasedLinear(this.#builder, heads, `${this.#name}.proj`, { weight: proj, bias: projBias });
  }

  /** One of q, k and v: [1, T, 3C] -> [1, T, C]. */
  #third(packed: string, part: number): string {
    const { hiddenSize: width } = this.#shape;
    const ends = [part * width, (part + 1) * width].map((at) => this.#builder.ints([at]));
    return this.#builder.op('Slice', [packed, ...ends, this.#builder.ints([2])]);
  }

  #mlp(input: string): string {
    const { fc1, fc1Bias, fc2, fc2Bias } = this.#layer;
    const inner = biasedLinear(this.#builder, input, `${this.#name}.fc1`, { weight: fc1, bias: fc1Bias });
    const activated = this.#builder.microsoft('Gelu', [inner]);
    return biasedLinear(this.#builder, activated, `${this.#name}.fc2`, { weight: fc2, bias: fc2Bias });
  }

  #scaled(value: string, part: string, scale: ExternalTensor): string {
    return this.#builder.op('Mul', [value, this.#vector(part, scale)]);
  }

  #rmsNorm(value: string, part: string, weight: ExternalTensor): string {
    return this.#builder.op('SimplifiedLayerNormalization', [value, this.#vector(part, weight)], {
      axis: -1,
      epsilon: { float: this.#shape.rmsNormEps },
    });
  }

  #vector(part: string, where: ExternalTensor): string {
    return this.#builder.external(`${this.#name}.${part}`, 'f32', [this.#shape.hiddenSize], where);
  }
}
