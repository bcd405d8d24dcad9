import { scoringSchema } from '../config/protocols.js';
import { seededRandom } from '../core/seeded-random.js';
import type { Sample } from '../milebench/annotation.js';
import type { ScoreInput } from '../scoring/metric.js';
import { scoreAnswer } from '../scoring/score-answer.js';
import type { Measured } from './benchmark.js';
import { timeInterleaved } from './interleaved.js';
import { mileBenchSamples, syntheticSamples } from './synthetic-samples.js';

type Prediction = ScoreInput & { readonly metric: string };

/** How models answer: the choice, its letter, a sentence about it, something else at length, nothing. */
function answerTo(sample: Sample, random: () => number): string {
  const { response, context } = sample;
  const kind = Math.floor(random() * 10);
  if (kind < 3) return response;
  if (kind < 5) return `${String.fromCodePoint(65 + Math.floor(random() * (sample.choices?.length ?? 4)))}.`;
  if (kind < 8) return `The answer, as the images show, is: ${response.toUpperCase()}!`;
  if (kind < 9) return context.slice(0, 2000).replaceAll('{', '').replaceAll('}', '. ');
  return '';
}

/** Accuracy where there are choices, else ROUGE-L and needle in turn: the proportions of MileBench. */
function syntheticPredictions(): Prediction[] {
  const random = seededRandom(4);
  return syntheticSamples().map((sample, index): Prediction => {
    const { choices, response } = sample;
    const metric = choices !== null ? 'accuracy' : index % 3 === 0 ? 'needle' : 'rouge-l';
    return { metric, datasetName: 'Synthetic', answer: answerTo(sample, random), response, choices };
  });
}

/** Milliseconds to score as many predictions as MileBench has samples, under both semantics. */
export async function benchmarkScoring(_runtime: unknown, rounds: number): Promise<Measured> {
  const predictions = syntheticPredictions();
  const contenders = scoringSchema.options.map((scoring) => ({
    name: `${mileBenchSamples} predictions, ${scoring}`,
    run: async () => {
      for (const prediction of predictions) scoreAnswer({ ...prediction, scoring });
    },
  }));
  return { timings: await timeInterleaved(contenders, rounds) };
}
