import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
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
          const ours = scoreAnswer({ metric, datasetName, answer: text, response, choices });
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
    expect(() => scoreAnswer({ ...input, metric: 'bleu' })).toThrow(/unknown metric "bleu"/);
  });

  test('exist for every metric the taxonomy asks for', () => {
    for (const { metric } of Object.values(officialDatasets)) expect(isMetricName(metric)).toBe(true);
    expect(Object.isFrozen(metrics)).toBe(true);
  });
});
