import { invariant, UserError } from '../core/errors.js';
import { imagePlaceholderId } from './tokenize-prompt.js';

export interface EmbeddingParts {
  /** Prompt ids with `imagePlaceholderId` at images. */
  readonly inputIds: readonly number[];
  /** Projector output [tokens per image, hiddenSize] of each image, in the order of the placeholders. */
  readonly imageFeatures: readonly Float32Array[];
  readonly hiddenSize: number;
  /** Writes the embedding [hiddenSize] of a token id. */
  readonly readRow: (id: number, target: Float32Array) => void;
  /** The sequence is cut at the END beyond this length (reference: LLaVA llava_arch.py). */
  readonly maxLength?: number | undefined;
}

/**
 * Input embeddings [L, hiddenSize]: token rows and image features in the order of the ids. Images without a
 * placeholder are ignored, as in the reference (LLaVA llava_arch.py, `prepare_inputs_labels_for_multimodal`).
 *
 * Throws `UserError` when there are fewer images than placeholders.
 */
export function mergeEmbeddings(parts: EmbeddingParts): Float32Array {
  const { inputIds, imageFeatures, hiddenSize, readRow } = parts;
  const placeholders = inputIds.filter((id) => id === imagePlaceholderId).length;
  if (placeholders > imageFeatures.length) {
    throw new UserError({
      what: `the prompt has ${placeholders} image marks but only ${imageFeatures.length} images`,
      fix: 'give every image mark of the sample an image',
    });
  }
  let rows = inputIds.length - placeholders;
  for (const features of imageFeatures.slice(0, placeholders)) {
    invariant(features.length % hiddenSize === 0, 'image features must be whole rows of the hidden size');
    rows += features.length / hiddenSize;
  }
  const length = Math.min(rows, parts.maxLength ?? rows);
  const merged = new Float32Array(length * hiddenSize);
  let at = 0;
  let image = 0;
  for (const id of inputIds) {
    if (at === merged.length) break;
    if (id === imagePlaceholderId) {
      const features = imageFeatures[image++]!;
      merged.set(features.subarray(0, merged.length - at), at);
      at = Math.min(at + features.length, merged.length);
    } else {
      readRow(id, merged.subarray(at, at + hiddenSize));
      at += hiddenSize;
    }
  }
  return merged;
}
