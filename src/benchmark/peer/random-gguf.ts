import type { LlamaShape } from '../../checkpoint/llama-config.js';
import { RandomBytes } from '../../core/random-bytes.js';
import {
  type GgufTensor,
  type GgufType,
  type GgufValue,
  ggufTypes,
  tensorBytes,
  writeGgufFile,
} from './gguf-file.js';

/** float16 with this exponent and any mantissa: a scale between 2^-8 and 2^-7. */
const scaleExponent = 0x1c00;
const mantissaBits = 0x3ff;

/**
 * Writes a Llama of llama.cpp with random weights, all distinct and the same on every call: Q4_0 matrices, float32
 * norms. It has no tokenizer; any number below `vocabSize` is a token.
 */
export async function writeRandomGguf(path: string, shape: LlamaShape): Promise<void> {
  const { layers, hiddenSize, intermediateSize, heads, kvHeads, headDim, vocabSize } = shape;
  const random = new RandomBytes();
  const matrix = (name: string, out: number, size: number): GgufTensor => {
    const tensor = { name, type: 'q4_0', dims: [out, size] } as const satisfies Omit<GgufTensor, 'blocks'>;
    return { ...tensor, blocks: () => randomBlocks(random, tensorBytes(tensor)) };
  };
  const norm = (name: string): GgufTensor => ones(name, hiddenSize);
  const layer = (l: number): GgufTensor[] => [
    norm(`blk.${l}.attn_norm.weight`),
    matrix(`blk.${l}.attn_q.weight`, heads * headDim, hiddenSize),
    matrix(`blk.${l}.attn_k.weight`, kvHeads * headDim, hiddenSize),
    matrix(`blk.${l}.attn_v.weight`, kvHeads * headDim, hiddenSize),
    matrix(`blk.${l}.attn_output.weight`, hiddenSize, heads * headDim),
    norm(`blk.${l}.ffn_norm.weight`),
    matrix(`blk.${l}.ffn_gate.weight`, intermediateSize, hiddenSize),
    matrix(`blk.${l}.ffn_up.weight`, intermediateSize, hiddenSize),
    matrix(`blk.${l}.ffn_down.weight`, hiddenSize, intermediateSize),
  ];
  await writeGgufFile(path, llamaMetadata(shape), [
    matrix('token_embd.weight', vocabSize, hiddenSize),
    ...Array.from({ length: layers }, (_, l) => layer(l)).flat(),
    norm('output_norm.weight'),
    matrix('output.weight', vocabSize, hiddenSize),
  ]);
}

/** llama.cpp's number for files whose matrices are mostly Q4_0. */
const mostlyQ40 = 2;

function llamaMetadata(shape: LlamaShape): Record<string, GgufValue> {
  const u32 = (value: number): GgufValue => ({ type: 'u32', value });
  const f32 = (value: number): GgufValue => ({ type: 'f32', value });
  const text = (value: string): GgufValue => ({ type: 'string', value });
  return {
    'general.architecture': text('llama'),
    'general.name': text('random weights'),
    'general.file_type': u32(mostlyQ40),
    'llama.block_count': u32(shape.layers),
    'llama.context_length': u32(shape.maxPositions),
    'llama.embedding_length': u32(shape.hiddenSize),
    'llama.feed_forward_length': u32(shape.intermediateSize),
    'llama.attention.head_count': u32(shape.heads),
    'llama.attention.head_count_kv': u32(shape.kvHeads),
    'llama.attention.layer_norm_rms_epsilon': f32(shape.rmsNormEps),
    'llama.rope.freq_base': f32(shape.ropeTheta),
    'llama.rope.dimension_count': u32(shape.headDim),
    'llama.vocab_size': u32(shape.vocabSize),
    'tokenizer.ggml.model': text('no_vocab'),
  };
}

function ones(name: string, length: number): GgufTensor {
  const values = new Float32Array(length).fill(1);
  return {
    name,
    type: 'f32' satisfies GgufType,
    dims: [length],
    blocks: () => [new Uint8Array(values.buffer)],
  };
}

/** Random nibbles behind random scales. */
function* randomBlocks(random: RandomBytes, bytes: number): Generator<Uint8Array> {
  for (const piece of random.pieces(bytes, ggufTypes.q4_0.bytes)) {
    for (let at = 0; at < piece.length; at += ggufTypes.q4_0.bytes) {
      piece.writeUInt16LE(scaleExponent | (piece.readUInt16LE(at) & mantissaBits), at);
    }
    yield piece;
  }
}
