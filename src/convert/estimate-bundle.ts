import { dimensionFinder } from '../checkpoint/dimension-finder.js';
import type { CheckpointDescription } from '../checkpoint/families/family.js';
import { textBytes, visionBytes } from './stored-weights.js';
import { type DtypeOptions, weightFormats } from './weight-formats.js';

/** Bytes of the weights of a bundle, from the configs of its checkpoint. Graphs and tokenizer are little beside them. */
export function estimateBundleBytes(
  { find }: Pick<CheckpointDescription, 'find'>,
  dtypes: DtypeOptions,
): number {
  const parts = find({ model: dimensionFinder, tower: dimensionFinder });
  const formats = weightFormats(dtypes);
  return textBytes(parts.text, formats) + visionBytes(parts, formats.vision);
}
