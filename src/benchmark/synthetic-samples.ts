import { seededRandom } from '../core/seeded-random.js';
import type { Sample } from '../milebench/annotation.js';
import { quantityLevel } from '../milebench/quantity-level.js';

/** Samples in MileBench. */
export const mileBenchSamples = 6440;

/** Words of the embedded tokenizer's vocabulary, and a few beyond it. */
const words = Object.freeze(
  (
    'the red circle moved from left to right before a green square appeared in front of three small dogs near ' +
    'Paris and what happened next between earlier frames of this story about 42 hidden objects, photographs; ' +
    'the gardener (who slept) says: "nothing changed!" is it taken at 7.30 or described as follows? yes, one'
  ).split(' '),
);

/** What a sample of the benchmark holds; MileBench has 15 images and 420 words a sample on average. */
interface SampleSize {
  readonly images: number;
  readonly words: number;
  readonly choices: number;
}

/** Twenty kinds in turn, so that every slice of the samples has the same mixture. */
const sizes: readonly SampleSize[] = Object.freeze([
  ...Array.from({ length: 6 }, () => ({ images: 8, words: 60, choices: 4 })),
  ...Array.from({ length: 4 }, () => ({ images: 2, words: 120, choices: 0 })),
  ...Array.from({ length: 3 }, () => ({ images: 12, words: 900, choices: 4 })),
  ...Array.from({ length: 3 }, () => ({ images: 24, words: 300, choices: 2 })),
  { images: 40, words: 500, choices: 26 },
  { images: 60, words: 40, choices: 40 },
  { images: 100, words: 400, choices: 4 },
  { images: 1, words: 3000, choices: 0 },
]);

/** Made-up samples, the same every time, of the sizes MileBench's have. */
export function syntheticSamples(count: number = mileBenchSamples): Sample[] {
  const random = seededRandom(3);
  const text = (length: number): string =>
    Array.from({ length }, () => words[Math.floor(random() * words.length)]!).join(' ');
  return Array.from({ length: count }, (_, index): Sample => {
    const size = sizes[index % sizes.length]!;
    const share = Math.ceil(size.words / size.images);
    const references = Array.from(
      { length: size.images },
      (_, image) => `{image#${image + 1}} ${text(share)} `,
    );
    const choices = Array.from({ length: size.choices }, (_, choice) => `${text(3)} ${choice}`);
    return {
      sampleId: String(index),
      taskInstructionId: 0,
      context: references.join(''),
      imageNames: Array.from({ length: size.images }, (_, image) => `${index}-${image}.jpg`),
      combinedImageNames: new Map(),
      choices: size.choices === 0 ? null : choices,
      response: choices[index % Math.max(1, choices.length)] ?? text(12),
      quantityLevel: quantityLevel(size.images),
    };
  });
}
