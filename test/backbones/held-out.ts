import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { groupBy } from '../../src/core/group-by.js';
import { writeJson } from '../checkpoint/synthetic-checkpoint.js';
import { encodeFloats, writeSafetensors } from '../checkpoint/write-safetensors.js';
import { fixturePath } from '../support/fixture-path.js';
import type { LlamaSizes } from '../support/reference/llama.js';
import type { ReferenceWeights, Rows } from '../support/reference/rows.js';
import type { RandomTensor } from './random-tensors.js';

/** A random checkpoint as files, and the same model as float64 formulas. */
export interface HeldOut {
  readonly name: string;
  /** JSON files by their path in the checkpoint. */
  readonly files: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, RandomTensor>;
  readonly imageSize: number;
  readonly template: string;
  readonly reference: {
    readonly weights: ReferenceWeights;
    readonly vision: (
      weights: ReferenceWeights,
      pixels: Float32Array,
    ) => { embeddings: Rows; tower: Rows; features: Rows };
    readonly llama: { readonly prefix: string; readonly head: string };
    readonly sizes: LlamaSizes;
  };
}

const dtypes = ['F16', 'BF16', 'F32'] as const;
const tokenizerFiles = ['tokenizer.json', 'tokenizer_config.json', 'special_tokens_map.json'];

/** Writes a checkpoint: the tokenizer of a fixture, tensors of mixed element types. */
export async function writeHeldOut(dir: string, { files, tensors }: HeldOut): Promise<void> {
  await mkdir(dir, { recursive: true });
  for (const name of tokenizerFiles) await copyFile(fixturePath(`backbones/llava/${name}`), join(dir, name));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeJson(join(dir, name), content);
  }
  for (const [file, group] of groupBy([...tensors], ([, tensor]) => tensor.file)) {
    const raw = group.map(([name, { dims, values }], index) => {
      const dtype = dtypes[index % dtypes.length]!;
      return [name, { dtype, dims, data: encodeFloats(values, dtype) }] as const;
    });
    await writeSafetensors(join(dir, file), new Map(raw));
  }
}
