import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { LlamaShape } from '../checkpoint/llama-config.js';
import { findLlama } from '../checkpoint/llama-weights.js';
import { type LlamaTensors, llamaSegment } from '../convert/llama-segments.js';
import { rotaryTable } from '../convert/rotary-tables.js';
import { type LanguageModel, type LanguageModelFiles, openLanguageModel } from '../engine/language-model.js';
import type { Runtime } from '../engine/runtime.js';
import { ExternalWeightFile } from '../onnx/external-weights.js';
import { anyTensor, randomStore, type TimedFormat } from './random-weights.js';
import { newDirectory } from './temporary-models.js';

/** How a format is called in results. */
export function formatName(format: TimedFormat): string {
  return 'blockSize' in format ? `${format.dtype} b${format.blockSize}` : format.dtype;
}

/** Writes a decoder of random weights into a directory of its own and opens it as the engine does. */
export async function openRandomDecoder(
  runtime: Runtime,
  parent: string,
  shape: LlamaShape,
  format: TimedFormat,
): Promise<LanguageModel> {
  const directory = await newDirectory(parent, formatName(format));
  return openLanguageModel(runtime, await writeRandomDecoder(directory, shape, format));
}

/** Writes weights and segments as a bundle holds them. */
export async function writeRandomDecoder(
  directory: string,
  shape: LlamaShape,
  format: TimedFormat,
): Promise<LanguageModelFiles> {
  const file = await ExternalWeightFile.create(directory, 'weights.bin');
  const store = randomStore(file, format);
  const { weights } = findLlama(anyTensor, { prefix: '', head: 'head' }, { shape, tied: false });
  const layers: LlamaTensors['layers'][number][] = [];
  for (const layer of weights.layers) layers.push(await store(layer));
  const ends = await store({ norm: weights.norm, head: weights.head });
  const cos = await file.add(rotaryTable(shape, Math.cos));
  const sin = await file.add(rotaryTable(shape, Math.sin));
  await file.finish();
  const segments: string[] = [];
  for (let segment = 0; segment <= shape.layers; segment++) {
    const name = `segment-${segment}.onnx`;
    const graph = llamaSegment(shape, { layers, ...ends, cos, sin }, segment);
    await writeFile(path.join(directory, name), graph);
    segments.push(name);
  }
  return { directory, manifest: { text: shape, weights: { layers: format }, graphs: { segments } } };
}
