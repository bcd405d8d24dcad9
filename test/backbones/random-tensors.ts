import { seededRandom } from '../../src/core/seeded-random.js';
import { elementCount } from '../../src/core/tensor.js';

export interface RandomTensor {
  readonly dims: readonly number[];
  readonly values: Float32Array;
  /** Weight file it goes into, relative to the checkpoint. */
  readonly file: string;
}

/** Adds a tensor of random values. */
export type AddTensor = (name: string, ...dims: number[]) => void;

/** Random tensors by name, exact in F32, F16 and BF16 alike. */
export class RandomTensors {
  readonly all = new Map<string, RandomTensor>();
  readonly #random: () => number;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Adds to a file; names start with `prefix`. */
  into(file: string, prefix = ''): AddTensor {
    return (name, ...dims) => {
      const isScale = /norm\w*\.weight$|ls\d$/.test(name);
      const values = Float32Array.from({ length: elementCount(dims) }, () => {
        const step = Math.floor(this.#random() * 121) - 60;
        return isScale ? 1 + step / 128 : step / 256;
      });
      this.all.set(prefix + name, { dims, values, file });
    };
  }

  weight = (name: string): Float32Array => {
    const tensor = this.all.get(name);
    if (tensor === undefined) throw new Error(`the reference asks for ${name}`);
    return tensor.values;
  };
}

export interface TextSizes {
  readonly hidden: number;
  readonly wide: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabulary: number;
}

/** Tensors of a Llama; the head is added apart. */
export function addLlama(add: AddTensor, sizes: TextSizes): void {
  const { hidden, wide, heads, kvHeads, headDim } = sizes;
  add('embed_tokens.weight', sizes.vocabulary, hidden);
  for (let layer = 0; layer < sizes.layers; layer++) {
    const name = `layers.${layer}`;
    add(`${name}.input_layernorm.weight`, hidden);
    add(`${name}.post_attention_layernorm.weight`, hidden);
    add(`${name}.self_attn.q_proj.weight`, heads * headDim, hidden);
    add(`${name}.self_attn.k_proj.weight`, kvHeads * headDim, hidden);
    add(`${name}.self_attn.v_proj.weight`, kvHeads * headDim, hidden);
    add(`${name}.self_attn.o_proj.weight`, hidden, heads * headDim);
    add(`${name}.self_attn.rotary_emb.inv_freq`, headDim / 2);
    add(`${name}.mlp.gate_proj.weight`, wide, hidden);
    add(`${name}.mlp.up_proj.weight`, wide, hidden);
    add(`${name}.mlp.down_proj.weight`, hidden, wide);
  }
  add('norm.weight', hidden);
}

export interface TowerSizes {
  readonly width: number;
  readonly wide: number;
  readonly layers: number;
  readonly heads: number;
  readonly patchSize: number;
  /** Edge of the grid that the position table is for. */
  readonly grid: number;
}

/** A linear layer with a bias. */
function addAffine(add: AddTensor, name: string, to: number, from: number): void {
  add(`${name}.weight`, to, from);
  add(`${name}.bias`, to);
}

function addLayerNorm(add: AddTensor, name: string, width: number): void {
  add(`${name}.weight`, width);
  add(`${name}.bias`, width);
}

export function addClip(add: AddTensor, { width, wide, layers, patchSize, grid }: TowerSizes): void {
  add('embeddings.class_embedding', width);
  add('embeddings.patch_embedding.weight', width, 3, patchSize, patchSize);
  add('embeddings.position_embedding.weight', 1 + grid ** 2, width);
  addLayerNorm(add, 'pre_layrnorm', width);
  addLayerNorm(add, 'post_layernorm', width);
  for (let layer = 0; layer < layers; layer++) {
    const name = `encoder.layers.${layer}`;
    for (const part of ['q', 'k', 'v', 'out']) addAffine(add, `${name}.self_attn.${part}_proj`, width, width);
    for (const norm of ['layer_norm1', 'layer_norm2']) addLayerNorm(add, `${name}.${norm}`, width);
    addAffine(add, `${name}.mlp.fc1`, wide, width);
    addAffine(add, `${name}.mlp.fc2`, width, wide);
  }
}

export function addInternVit(
  add: AddTensor,
  { width, wide, layers, patchSize, grid }: TowerSizes,
  { qkNorm, qkvBias }: { readonly qkNorm: boolean; readonly qkvBias: boolean },
): void {
  add('embeddings.class_embedding', 1, 1, width);
  add('embeddings.patch_embedding.weight', width, 3, patchSize, patchSize);
  add('embeddings.patch_embedding.bias', width);
  add('embeddings.position_embedding', 1, 1 + grid ** 2, width);
  for (let layer = 0; layer < layers; layer++) {
    const name = `encoder.layers.${layer}`;
    for (const norm of ['norm1', 'norm2']) add(`${name}.${norm}.weight`, width);
    for (const scale of ['ls1', 'ls2']) add(`${name}.${scale}`, width);
    add(`${name}.attn.qkv.weight`, 3 * width, width);
    if (qkvBias) add(`${name}.attn.qkv.bias`, 3 * width);
    if (qkNorm) for (const norm of ['q_norm', 'k_norm']) add(`${name}.attn.${norm}.weight`, width);
    addAffine(add, `${name}.attn.proj`, width, width);
    addAffine(add, `${name}.mlp.fc1`, wide, width);
    addAffine(add, `${name}.mlp.fc2`, width, wide);
  }
}

/** Two linear layers, under the two names given. */
export function addMlp(
  add: AddTensor,
  names: { readonly first: string; readonly second: string },
  { from, to }: { readonly from: number; readonly to: number },
): void {
  addAffine(add, names.first, to, from);
  addAffine(add, names.second, to, to);
}

export function addLdp(add: AddTensor, widths: { readonly from: number; readonly to: number }): void {
  addMlp(add, { first: 'mlp.mlp.0', second: 'mlp.mlp.2' }, widths);
  add('peg.peg.0.weight', widths.to, 1, 3, 3);
  add('peg.peg.0.bias', widths.to);
}
