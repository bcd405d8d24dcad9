import { imagePlaceholderId } from './tokenize-prompt.js';

/** A run of image tokens in the expanded sequence. */
export interface ImageSpan {
  readonly start: number;
  readonly length: number;
}

/** Which positions of the expanded sequence are text and which are image. */
export interface ModalityLayout {
  /** L: length of the expanded sequence after cutting. */
  readonly length: number;
  /** One span for each image of which anything is left, in order. */
  readonly spans: readonly ImageSpan[];
  /** [L], 1 = image, 0 = text. */
  readonly imageMask: Uint8Array;
}

export interface ModalityOptions {
  readonly tokensPerImage: number;
  /** The expanded sequence is cut at the END beyond this length (reference: LLaVA llava_arch.py). */
  readonly maxLength?: number | undefined;
}

/**
 * Lays out a prompt whose placeholders each stand for `tokensPerImage` positions: image i of placeholder position p
 * starts at p + (tokensPerImage - 1) * i (reference: LOOK-M modify_llama.py).
 */
export function layOutModalities(inputIds: readonly number[], options: ModalityOptions): ModalityLayout {
  const { tokensPerImage, maxLength = Number.POSITIVE_INFINITY } = options;
  const spans: ImageSpan[] = [];
  let expanded = 0;
  for (const id of inputIds) {
    if (id !== imagePlaceholderId) {
      expanded += 1;
      continue;
    }
    const length = Math.min(tokensPerImage, maxLength - expanded);
    if (length > 0) spans.push({ start: expanded, length });
    expanded += tokensPerImage;
  }
  const length = Math.min(expanded, maxLength);
  const imageMask = new Uint8Array(length);
  for (const span of spans) imageMask.fill(1, span.start, span.start + span.length);
  return { length, spans, imageMask };
}
