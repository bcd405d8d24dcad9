import type { Sample } from '../milebench/annotation.js';
import type { BenchPlan } from './plan.js';

/** Positions of a prompt by modality. */
export interface PromptSize {
  readonly text: number;
  readonly images: number;
}

/** Characters of English text a token of the usual vocabularies covers, for estimates only. */
const charactersPerToken = 4;

/** Tokens of a prompt template, more or less. */
const templateTokens = 64;

/** Size of a sample's question without reading images or tokenising anything, before truncation. */
export function estimatedSize(sample: Sample, tokensPerImage: number): PromptSize {
  const choices = (sample.choices ?? []).reduce((sum, choice) => sum + choice.length, 0);
  return {
    text: Math.ceil((sample.context.length + choices) / charactersPerToken),
    images: sample.imageNames.length * tokensPerImage,
  };
}

/** A size of at most `longest` positions, with text and images in the same proportion. */
export function cutSize({ text, images }: PromptSize, longest: number): PromptSize {
  const length = text + images;
  if (length <= longest) return { text, images };
  const kept = Math.floor((images * longest) / length);
  return { text: longest - kept, images: kept };
}

/**
 * Size of the longest prompt of a plan, cut as the run will cut it.
 *
 * @param mostPositions what the backbone's positions leave for a prompt
 */
export function longestPrompt(
  { tasks }: Pick<BenchPlan, 'tasks'>,
  {
    tokensPerImage,
    maxContext,
    mostPositions,
  }: {
    readonly tokensPerImage: number;
    readonly maxContext: number | null;
    readonly mostPositions: number;
  },
): PromptSize {
  let longest: PromptSize = { text: 0, images: 0 };
  for (const { samples } of tasks) {
    for (const sample of samples) {
      const size = estimatedSize(sample, tokensPerImage);
      if (size.text + size.images > longest.text + longest.images) longest = size;
    }
  }
  const { text, images } = cutSize(longest, maxContext ?? mostPositions);
  return cutSize({ text: text + templateTokens, images }, mostPositions);
}
