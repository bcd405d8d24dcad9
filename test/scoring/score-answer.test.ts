import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { scoringSchema } from '../../src/config/protocols.js';
import { pairwiseMean } from '../../src/core/pairwise-mean.js';
import { officialDatasets } from '../../src/milebench/taxonomy.js';
import { findMetric, isMetricName, metrics } from '../../src/scoring/registry.js';
import { scoreAnswer } from '../../src/scoring/score-answer.js';

const goldenSchema = z.object({
  samples: z.record(
    z.string(),
    z.array(
      z.object({
        sample_id: z.int(),
        response: z.string(),
        runs: z.record(z.string(), z.object({ text: z.string(), score: z.number() })),
      }),
    ),
  ),
});
const annotationSchema = z.object({
  data: z.array(
    z.object({
      sample_id: z.int(),
      task_instance: z.object({ choice_list: z.array(z.string()).optional() }),
    }),
  ),
});

const scorings = scoringSchema.options;

/** The golden scores are written with three decimals. */
const goldenDecimals = 3;

function readJson(relative: string): unknown {
  return JSON.parse(readFileSync(new URL(relative, import.meta.url), 'utf8'));
}

const golden = goldenSchema.parse(readJson('../fixtures/embedded/golden.json'));
const columns = z
  .record(z.string(), z.object({ metric: z.string() }))
  .parse(readJson('../../datasets/minimile/columns.json'));

describe('scores of answers', () => {
  test.each(Object.entries(golden.samples))(
    '%s: equal those of the official scorer',
    (datasetName, samples) => {
      const { data } = annotationSchema.parse(
        readJson(`../../datasets/minimile/${datasetName}/${datasetName}.json`),
      );
      const choicesOf = new Map(
        data.map((sample) => [sample.sample_id, sample.task_instance.choice_list ?? null]),
      );
      const { metric } = columns[datasetName]!;
      const wrong: string[] = [];
      let checked = 0;
      for (const { sample_id, response, runs } of samples) {
        const choices = choicesOf.get(sample_id) ?? null;
        for (const [run, { text, score }] of Object.entries(runs)) {
          const input = { metric, datasetName, answer: text, response, choices };
          const ours = scoreAnswer({ ...input, scoring: 'release' });
          if (Number(ours.score.toFixed(goldenDecimals)) !== score)
            wrong.push(`${sample_id} ${run}: ${ours.score}, official ${score}`);
          checked++;
        }
      }
      expect(wrong).toEqual([]);
      expect(checked).toBe(30 * 17);
    },
  );

  test('say which metric is unknown, where, and what it could have been', () => {
    expect(() => findMetric('acuracy', 'columns.json, Mine')).toThrow(
      'columns.json, Mine: unknown metric "acuracy"; write accuracy',
    );
    expect(() => findMetric('toString')).toThrow(
      /unknown metric "toString"; write accuracy or rouge-l or needle/,
    );
    const input = { datasetName: 'x', answer: 'a', response: 'a', choices: null };
    expect(() => scoreAnswer({ ...input, metric: 'bleu', scoring: 'fixed' })).toThrow(
      /unknown metric "bleu"/,
    );
  });

  test('exist for every metric the taxonomy asks for', () => {
    for (const { metric } of Object.values(officialDatasets)) expect(isMetricName(metric)).toBe(true);
    expect(Object.isFrozen(metrics)).toBe(true);
  });

  test('are asked for by metric and scoring', () => {
    const input = { datasetName: 'Mine', answer: 'I know', response: 'no', choices: ['yes', 'no'] };
    expect(scoreAnswer({ ...input, metric: 'accuracy', scoring: 'release' }).score).toBe(1);
    expect(scoreAnswer({ ...input, metric: 'accuracy', scoring: 'fixed' }).score).toBe(0);
  });

  test('are 0 or 1 for every metric whose scale is binary', () => {
    const answers = ['', 'no', 'the answer is B', 'yes and no', '.'.repeat(40)];
    const scaleOf = (name: string) => {
      const input = { datasetName: 'Mine', response: 'no no', choices: ['yes', 'no no'] };
      const scores = answers.flatMap((answer) =>
        scorings.map((scoring) => scoreAnswer({ ...input, answer, metric: name, scoring }).score),
      );
      return scores.every((score) => score === 0 || score === 1) ? 'binary' : 'graded';
    };
    const scales = Object.entries(metrics).map(([name, { scale }]) => [name, scale]);
    expect(scales).toEqual(Object.keys(metrics).map((name) => [name, scaleOf(name)]));
  });

  test('and their mean do not depend on the order of the samples', () => {
    const sample = fc.record({
      metric: fc.constantFrom(...Object.keys(metrics)),
      answer: fc.constantFrom('', 'B', 'red', 'a red car', 'the blue bus.', 'maybe', '.'.repeat(40)),
      response: fc.constantFrom('red car', 'blue bus'),
    });
    const samples = fc.array(sample, { minLength: 1, maxLength: 300 });
    const shuffled = samples.chain((rows) =>
      fc.tuple(
        fc.constant(rows),
        fc.shuffledSubarray([...rows.keys()], { minLength: rows.length, maxLength: rows.length }),
        fc.constantFrom(...scorings),
      ),
    );
    const base = { datasetName: 'Mine', choices: ['red car', 'blue bus'] };
    fc.assert(
      fc.property(shuffled, ([rows, order, scoring]) => {
        const scoreOf = (row: (typeof rows)[number]) => scoreAnswer({ ...base, ...row, scoring }).score;
        const scores = rows.map(scoreOf);
        const later = order.map((index) => scoreOf(rows[index]!));
        expect(later).toEqual(order.map((index) => scores[index]));
        expect(Math.abs(pairwiseMean(later) - pairwiseMean(scores))).toBeLessThanOrEqual(1e-12);
      }),
    );
  });
});
