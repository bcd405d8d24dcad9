import type { LlavaWeights, SourceMatrix, SourceTensor } from '../checkpoint/checkpoint-parts.js';
import type { LlamaShape } from '../checkpoint/llama-config.js';
import { elementCount } from '../core/tensor.js';
import { ExternalWeightFile, type WrittenFile } from '../onnx/external-weights.js';
import type { ExternalTensor } from '../onnx/graph-builder.js';
import type { StoredMatrix } from '../onnx/stored-matrix.js';
import type { LlamaTensors } from './llama-segments.js';
import { rotaryTable, rotaryTableBytes } from './rotary-tables.js';
import type { VisionTensors } from './vision-graph.js';

/** Hears how many bytes have been written. */
export type OnBytes = (bytes: number) => void;

/** Widens the language model's weights, except the token rows, and writes them with the rotary tables. */
export function writeTextWeights(
  dir: string,
  name: string,
  { weights, shape, onBytes }: { weights: LlavaWeights['text']; shape: LlamaShape; onBytes: OnBytes },
): Promise<{ tensors: LlamaTensors; file: WrittenFile }> {
  return writeWeightFile(dir, name, async (file) => {
    const layers: LlamaTensors['layers'][number][] = [];
    for (const layer of weights.layers) layers.push(await addWidened(file, layer, onBytes));
    const { norm, head } = await addWidened(file, { norm: weights.norm, head: weights.head }, onBytes);
    const cos = await file.add(counted(rotaryTable(shape, Math.cos), onBytes));
    const sin = await file.add(counted(rotaryTable(shape, Math.sin), onBytes));
    return { layers, norm, head, cos, sin };
  });
}

/** Widens the weights of tower and projector and writes them. */
export function writeVisionWeights(
  dir: string,
  name: string,
  { weights, onBytes }: { weights: Pick<LlavaWeights, 'tower' | 'projector'>; onBytes: OnBytes },
): Promise<{ tensors: VisionTensors; file: WrittenFile }> {
  return writeWeightFile(dir, name, async (file) => {
    const embedding = await addWidened(file, weights.tower.embedding, onBytes);
    const layers: VisionTensors['tower']['layers'][number][] = [];
    for (const layer of weights.tower.layers) layers.push(await addWidened(file, layer, onBytes));
    const projector = await addWidened(file, weights.projector, onBytes);
    return { tower: { embedding, layers }, projector };
  });
}

/** Copies a tensor's bytes to a file of its own. */
export async function writeRawTensor(
  dir: string,
  name: string,
  { tensor, onBytes }: { tensor: SourceTensor; onBytes: OnBytes },
): Promise<WrittenFile> {
  const { file } = await writeWeightFile(dir, name, (raw) =>
    raw.add(counted(tensor.source.blocks(tensor.name), onBytes)),
  );
  return file;
}

/** Bytes the functions above write for a language model, not counting the gaps between tensors. */
export function textBytes(weights: LlavaWeights['text'], shape: LlamaShape): number {
  const { embedding, layers, norm, head } = weights;
  const widened = widenedBytes([...layers.flatMap((layer) => Object.values(layer)), norm, head]);
  const rows = elementCount(embedding.dims) * (embedding.dtype === 'F32' ? 4 : 2);
  return widened + 2 * rotaryTableBytes(shape) + rows;
}

/** The same for tower and projector. */
export function visionBytes({ tower, projector }: Pick<LlavaWeights, 'tower' | 'projector'>): number {
  return widenedBytes([
    ...Object.values(tower.embedding),
    ...tower.layers.flatMap((layer) => Object.values(layer)),
    ...Object.values(projector),
  ]);
}

function widenedBytes(tensors: readonly SourceTensor[]): number {
  return tensors.reduce((bytes, { dims }) => bytes + 4 * elementCount(dims), 0);
}

async function writeWeightFile<T>(
  dir: string,
  name: string,
  fill: (file: ExternalWeightFile) => Promise<T>,
): Promise<{ tensors: T; file: WrittenFile }> {
  const file = await ExternalWeightFile.create(dir, name);
  try {
    const tensors = await fill(file);
    return { tensors, file: await file.finish() };
  } catch (error) {
    await file.abandon();
    throw error;
  }
}

/** What becomes of found tensors. */
type Stored<Tensors> = {
  readonly [Part in keyof Tensors]: Tensors[Part] extends SourceMatrix ? StoredMatrix : ExternalTensor;
};

/** Writes tensors one after another in the order of their keys. */
async function addWidened<Tensors extends { readonly [Part in keyof Tensors]: SourceTensor }>(
  file: ExternalWeightFile,
  tensors: Tensors,
  onBytes: OnBytes,
): Promise<Stored<Tensors>> {
  const stored: Record<string, StoredMatrix | ExternalTensor> = {};
  for (const [part, tensor] of Object.entries<SourceTensor>(tensors)) {
    const where = await file.add(counted(tensor.source.floatBlocks(tensor.name), onBytes));
    stored[part] =
      tensor.role === 'matrix' ? { kind: 'float', dtype: 'f32', dims: tensor.dims, where } : where;
  }
  return stored as Stored<Tensors>;
}

async function* counted<T extends ArrayBufferView>(
  blocks: AsyncIterable<T> | Iterable<T>,
  onBytes: OnBytes,
): AsyncGenerator<T> {
  for await (const block of blocks) {
    yield block;
    onBytes(block.byteLength);
  }
}
