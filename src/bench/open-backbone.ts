import path from 'node:path';
import { type EmbeddingTable, openEmbeddingTable } from '../backbone/embedding-table.js';
import type { Bundle } from '../backbone/open-bundle.js';
import { openTokenizer, type TextTokenizer } from '../backbone/tokenizer.js';
import type { NearestKeySearch } from '../compression/merge/nearest-key.js';
import type { ChannelArithmetic } from '../compression/quantise/quantise.js';
import { openChannelArithmetic } from '../engine/channel-arithmetic.js';
import { type LanguageModel, openLanguageModel } from '../engine/language-model.js';
import { openNearestKeySearch } from '../engine/nearest-key.js';
import type { Runtime } from '../engine/runtime.js';
import { openVisionEncoder, type VisionEncoder } from '../engine/vision-encoder.js';

/** A bundle ready to run. Close it when done. */
export interface Backbone {
  readonly bundle: Bundle;
  readonly runtime: Runtime;
  readonly model: LanguageModel;
  readonly vision: VisionEncoder;
  readonly nearestKeys: NearestKeySearch;
  readonly channels: ChannelArithmetic;
  readonly tokenizer: TextTokenizer;
  readonly embeddings: EmbeddingTable;
  /** Tokens that the prompt template puts around a question. */
  readonly templateTokens: number;
  close(): Promise<void>;
}

/**
 * Loads a bundle into a runtime, which belongs to the backbone from here on.
 *
 * @throws UserError when a part of the bundle cannot be loaded; the runtime is closed then
 */
export async function openBackbone(bundle: Bundle, runtime: Runtime): Promise<Backbone> {
  const { text, embedding } = bundle.manifest;
  const embeddings = openEmbeddingTable({
    path: path.join(bundle.directory, embedding.file),
    dtype: embedding.dtype,
    vocabSize: text.vocabSize,
    hiddenSize: text.hiddenSize,
  });
  const close = async (): Promise<void> => {
    embeddings.close();
    await runtime.close();
  };
  try {
    const { before, after } = bundle.manifest.prompt;
    const tokenizer = await openTokenizer(bundle.directory);
    return {
      bundle,
      runtime,
      model: await openLanguageModel(runtime, bundle),
      vision: await openVisionEncoder(runtime, bundle),
      nearestKeys: await openNearestKeySearch(runtime, text.headDim),
      channels: await openChannelArithmetic(runtime),
      tokenizer,
      embeddings,
      templateTokens: tokenizer.encode(before).length + tokenizer.encode(after).length,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
