import type { NamedContent } from './checkpoint-tokenizer.js';
import type { BackboneFamily, ModelParts } from './families/family.js';
import type { ImageProcessing } from './image-processor-config.js';
import type { PromptFile } from './token-config.js';

/** All that a bundle is made of, wherever it comes from. */
export interface Model extends ModelParts {
  readonly family: Pick<BackboneFamily, 'family' | 'layout' | 'template'>;
  readonly image: ImageProcessing;
  /** What the checkpoint says about images that are not square, if it says anything. */
  readonly aspect: 'pad' | 'crop' | undefined;
  readonly tokens: { readonly bos: number; readonly eos: number; readonly addBos: boolean };
  /** The checkpoint's own `prompt.json`. */
  readonly prompt: PromptFile | undefined;
  /** `tokenizer.json` and the files beside it, as they go into the bundle. */
  readonly tokenizerFiles: readonly NamedContent[];
}
