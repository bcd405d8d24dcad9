import type { BundleManifest } from './bundle-manifest.js';
import { imageMark } from './prompt-template.js';
import type { TextTokenizer } from './tokenizer.js';

/** Takes the place of one image among token ids (reference: LLaVA constants.py, `IMAGE_TOKEN_INDEX`). */
export const imagePlaceholderId = -200;

/**
 * Token ids of a prompt with `imagePlaceholderId` at every `<image>`.
 *
 * The text between images is tokenised piece by piece, as the tokenizer would tokenise a text of its own; an empty
 * piece adds nothing. With `addBos` the sequence starts with BOS (the reference adds it to each piece and keeps the
 * first; LLaVA mm_utils.py, `tokenizer_image_token`).
 */
export function tokenizePrompt(
  prompt: string,
  tokenizer: TextTokenizer,
  tokens: Pick<BundleManifest['tokens'], 'bos' | 'addBos'>,
): number[] {
  const ids: number[] = tokens.addBos ? [tokens.bos] : [];
  for (const [index, piece] of prompt.split(imageMark).entries()) {
    if (index > 0) ids.push(imagePlaceholderId);
    for (const id of tokenizer.encode(piece)) ids.push(id);
  }
  return ids;
}
