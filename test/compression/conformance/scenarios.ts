import { type RandomPrompt, randomPrompt } from '../../support/random-prompt.js';
import { layerCount } from './subjects.js';

/** A kind of prompt, as every layer sees it. */
export interface ScenarioPrompts {
  readonly name: ScenarioName;
  readonly chunkRows: number;
  readonly prompts: readonly RandomPrompt[];
}

const plain = { heads: 2, kvHeads: 2, headDim: 8 };

const kinds = {
  'one image': { shape: plain, length: 60, images: [{ start: 8, length: 30 }], chunkRows: 512 },
  'three images': {
    ...{ shape: { heads: 3, kvHeads: 3, headDim: 5 }, length: 50, chunkRows: 7 },
    images: [
      { start: 4, length: 9 },
      { start: 16, length: 9 },
      { start: 30, length: 18 },
    ],
  },
  'no image': { shape: plain, length: 40, images: [], chunkRows: 16 },
  'all image': { shape: plain, length: 40, images: [{ start: 0, length: 40 }], chunkRows: 16 },
  'one head': {
    ...{ shape: { heads: 1, kvHeads: 1, headDim: 8 }, length: 48, chunkRows: 10 },
    images: [{ start: 5, length: 28 }],
  },
  'shared heads': {
    ...{ shape: { heads: 6, kvHeads: 2, headDim: 8 }, length: 52, chunkRows: 9 },
    images: [{ start: 10, length: 30 }],
  },
  'keys without length': {
    ...{ shape: { heads: 4, kvHeads: 2, headDim: 5 }, length: 44, chunkRows: 512 },
    images: [{ start: 6, length: 30 }],
  },
  'one token': { shape: plain, length: 1, images: [], chunkRows: 512 },
  'one image token': { shape: plain, length: 1, images: [{ start: 0, length: 1 }], chunkRows: 512 },
} as const;
export type ScenarioName = keyof typeof kinds;

/** Conserved and evicted, first and last, text and image. */
const lengthless = [0, 3, 9, 10, 11, 25, 40, 42, 43];

function withLengthlessKeys(prompt: RandomPrompt): RandomPrompt {
  const { kvHeads, headDim, length } = prompt;
  for (let head = 0; head < kvHeads; head++) {
    for (const position of lengthless) {
      const from = (head * length + position) * headDim;
      prompt.keys.fill(0, from, from + headDim);
    }
  }
  return prompt;
}

/** Every kind of prompt, with other numbers in every layer. */
export function scenarioPrompts(): readonly ScenarioPrompts[] {
  return Object.entries(kinds).map(([key, { chunkRows, ...kind }], index) => {
    const name = key as ScenarioName;
    const prompts = Array.from({ length: layerCount }, (_, layer) => {
      const prompt = randomPrompt({ ...kind, seed: 100 * index + layer + 1 });
      return name === 'keys without length' ? withLengthlessKeys(prompt) : prompt;
    });
    return { name, chunkRows, prompts };
  });
}
