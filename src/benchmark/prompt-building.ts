import { fileURLToPath } from 'node:url';
import { findPromptTemplate, renderQuestion } from '../backbone/prompt-template.js';
import { tokenizePrompt } from '../backbone/tokenize-prompt.js';
import { openTokenizer } from '../backbone/tokenizer.js';
import { invariant } from '../core/errors.js';
import { buildQuestion } from '../milebench/prompt.js';
import type { Measured } from './benchmark.js';
import { timeInterleaved } from './interleaved.js';
import { mileBenchSamples, syntheticSamples } from './synthetic-samples.js';

/** The embedded checkpoint: beside `src/` and `dist/` alike. */
const checkpoint = fileURLToPath(new URL('../../models/tiny-llava', import.meta.url));

/** Context of LLaVA-1.5 and images of the embedded backbone. */
const maxContextLength = 4096;
const tokensPerImage = 81;

const tokens = { bos: 2, addBos: true } as const;

/**
 * Milliseconds from annotated samples to token ids, as many as MileBench has. The tokenizer is opened anew in every
 * round, so that no round profits from what the one before has remembered.
 */
export async function benchmarkPromptBuilding(_runtime: unknown, rounds: number): Promise<Measured> {
  const samples = syntheticSamples();
  const template = findPromptTemplate('llava_llama_2');
  const run = async (): Promise<void> => {
    const tokenizer = await openTokenizer(checkpoint);
    const forQuestions = {
      encode: tokenizer.encode,
      decode: (ids: number[]) => tokenizer.decode(ids, { skipSpecialTokens: false }),
    };
    let length = 0;
    for (const sample of samples) {
      const question = buildQuestion({
        sample,
        taskInstructions: ['Look at the images and answer the question.'],
        imageDir: 'images',
        maxContextLength,
        tokensPerImage,
        tokenizer: forQuestions,
        datasetName: 'Synthetic',
        combineImage: null,
      });
      length += tokenizePrompt(renderQuestion(template, question.text), tokenizer, tokens).length;
    }
    invariant(length > samples.length, 'every prompt has tokens');
  };
  return { timings: await timeInterleaved([{ name: `${mileBenchSamples} prompts`, run }], rounds) };
}
