import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { z } from 'zod';
import { imagePlaceholderId } from '../../src/backbone/tokenize-prompt.js';
import type { Cell, SampleRecord } from '../../src/bench/record.js';
import { budgetName } from '../../src/config/budget.js';
import { hashJson } from '../../src/core/content-hash.js';
import { fixturePath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';
import { type Called, lookm, openPlace, type Place } from './real-lookm.js';
import { contentsOf, countersOf, linesOf, recordsOf } from './run-files.js';

/** A slow machine with other work needs minutes for what takes one on an idle one. */
const patience = 600_000;
vi.setConfig({ testTimeout: patience, hookTimeout: patience });

const goldenRunSchema = z.object({
  text: z.string(),
  kept: z.array(z.int()),
  logit_gap: z.number(),
  score: z.number(),
});
const goldenSampleSchema = z.object({
  sample_id: z.int(),
  prompt_ids: z.array(z.int()),
  prompt_len: z.int(),
  images: z.int(),
  text_tokens: z.int(),
  runs: z.record(z.string(), goldenRunSchema),
});
const goldenSchema = z.object({
  summary: z.record(
    z.string(),
    z.object({ column: z.string(), runs: z.record(z.string(), z.object({ score: z.number() })) }),
  ),
  samples: z.record(z.string(), z.array(goldenSampleSchema)),
});
type GoldenSample = z.infer<typeof goldenSampleSchema>;

const golden = readJson(fixturePath('embedded/golden.json'), goldenSchema);

/** The image token in the golden prompts. */
const goldenImageToken = 4;

const goldenMethods: Readonly<Record<string, string>> = {
  full: 'full',
  h2o: 'h2o',
  'look-m-tp-p': 'text_prior_pivot_merge',
  snapkv: 'snapkv',
  'look-m-tp': 'text_prior_h2o',
};
const goldenProtocols = { prefill: 'paper', cache: 'strict' } as const;

/** Name of a cell in the golden file. */
function goldenRun({ method, budget, firstToken }: Cell): string {
  const name = goldenMethods[method];
  if (budget === null) return `${name}`;
  return `${name}|${budgetName(budget)}|${goldenProtocols[firstToken]}`;
}

function runsOf(methods: readonly string[]): string[] {
  return methods.flatMap((method) =>
    ['20%', '5%'].flatMap((budget) => ['paper', 'strict'].map((when) => `${method}|${budget}|${when}`)),
  );
}

/** Of the quickstart, and of another command that decodes its cells together. */
const quickstartRuns = ['full', ...runsOf(['h2o', 'text_prior_pivot_merge'])];
const goldenRuns = [...quickstartRuns, ...runsOf(['snapkv', 'text_prior_h2o'])];

const tableNames = ['accuracy', 'differences', 'cache', 'latency', 'datasets', 'levels', 'pairs', 'layers'];
const tables = tableNames.flatMap((name) => [`${name}.csv`, `${name}.md`]);

let place: Place;
let out: string;
let first: Called;
let records: SampleRecord[];
let more: SampleRecord[];

beforeAll(async () => {
  place = await openPlace();
  out = path.join(place.cwd, 'results/quickstart');
  first = await lookm(['bench'], place);
  records = await recordsOf(out);
  await lookm(['bench', '--methods', 'snapkv,look-m-tp', '--decoding', 'together', '--out', 'more'], place);
  more = await recordsOf(path.join(place.cwd, 'more'));
});

function goldenOf({ task, sampleId }: SampleRecord): GoldenSample {
  const sample = golden.samples[task]?.find(({ sample_id }) => String(sample_id) === sampleId);
  if (sample === undefined) throw new Error(`no golden sample ${task} ${sampleId}`);
  return sample;
}

/** Records of a cell with what the golden run gave for their samples. */
function comparedWith(run: string) {
  return [...records, ...more]
    .filter(({ cell }) => goldenRun(cell) === run)
    .map((record) => ({ record, expected: goldenOf(record).runs[run]! }));
}

describe('lookm bench without flags in an empty directory', () => {
  test('ends well with tables and the files they came from', async () => {
    expect(first.code).toBe(0);
    for (const title of [
      'Score by task column (%)',
      'Difference to the full cache (points)',
      'Size of the KV cache',
      'Latency (ms)',
    ])
      expect(first.stdout).toContain(`${title}\n`);
    expect(first.stdout).toContain('Done: 2970 records (2970 new, 0 found), 330 prefills.\n');
    expect(await readdir(place.cwd)).toEqual(['more', 'results']);
    expect((await readdir(out)).sort()).toEqual(
      [...tables, 'failures.jsonl', 'manifest.json', 'samples.jsonl'].sort(),
    );
    for (const [name, content] of Object.entries(await contentsOf(out, tables)))
      expect(content, name).toContain('look-m-tp-p');
  });

  test('prefills each of 330 samples once for its nine records', async () => {
    expect(await countersOf(out)).toMatchObject({
      total: { prefills: 330, records: 2970 },
      lastCommand: { prefills: 330, records: 2970, resumed: 0, failures: 0 },
    });
    expect(new Set(records.map(({ key }) => key)).size).toBe(2970);
    expect(new Set(records.map(({ cell }) => goldenRun(cell)))).toEqual(new Set(quickstartRuns));
  });

  test('writes nothing that tells where it ran', async () => {
    const written = await contentsOf(out, [...tables, 'manifest.json', 'samples.jsonl']);
    for (const [name, content] of Object.entries(written))
      expect(content.includes(path.dirname(place.cwd)), name).toBe(false);
  });
});

describe('against the golden predictions of the embedded assets', () => {
  test('the prompt of every sample has the same token ids, lengths and images', () => {
    const differing = records.filter(({ prompt, ...record }) => {
      const { prompt_ids, prompt_len, text_tokens, images } = goldenOf({ prompt, ...record });
      const ids = prompt_ids.map((id) => (id === goldenImageToken ? imagePlaceholderId : id));
      const sizes = [prompt.tokens, prompt.textTokens, prompt.images];
      return prompt.sha256 !== hashJson(ids) || sizes.join() !== [prompt_len, text_tokens, images].join();
    });
    expect(differing.map(({ task, sampleId }) => `${task} ${sampleId}`)).toEqual([]);
    expect(new Set(records.map(({ task, sampleId }) => `${task} ${sampleId}`)).size).toBe(330);
  });

  test.each(goldenRuns)('%s keeps the same number of rows in every layer of every sample', (run) => {
    const compared = comparedWith(run);
    expect(compared).toHaveLength(330);
    const differing = compared.filter(
      ({ record, expected }) => record.cache.effective.rows.join() !== expected.kept.join(),
    );
    expect(differing.map(({ record }) => `${record.task} ${record.sampleId}`)).toEqual([]);
  });

  test.each(goldenRuns)('%s gives the same answers, and their scores', (run) => {
    const compared = comparedWith(run);
    const other = compared.filter(({ record, expected }) => record.answer !== expected.text);
    const described = other.map(({ record, expected }) => {
      const answers = `${JSON.stringify(record.answer)} for ${JSON.stringify(expected.text)}`;
      return `${record.task}, sample ${record.sampleId}: ${answers}, golden logit gap ${expected.logit_gap}`;
    });
    // Shown also when few enough to pass.
    if (other.length > 0) process.stderr.write(`${run}:\n  ${described.join('\n  ')}\n`);
    // Logit gaps go down to 1e-4, which another order of summation may turn over.
    expect(other.length, described.join('\n')).toBeLessThanOrEqual(compared.length * 0.01);
    const scored = compared.filter(({ record, expected }) => record.answer === expected.text);
    // Golden scores have three decimals.
    const wrong = scored.filter(
      ({ record, expected }) => !(Math.abs(record.scores.release.score - expected.score) <= 5e-4),
    );
    expect(wrong.map(({ record }) => `${record.task} ${record.sampleId}`)).toEqual([]);
  });

  test('the accuracy table shows the golden mean of every task in every cell', async () => {
    const [header, ...rows] = (await linesOf(out, 'accuracy.csv')).map((line) => line.split(','));
    const places = ['method', 'budget', 'first token'].map((name) => header!.indexOf(name));
    const shown = new Map(rows.map((row) => [places.map((i) => row[i]).join(), row]));
    // The full cache stands under both protocols.
    expect(shown.size).toBe(quickstartRuns.length + 1);
    const wrong: string[] = [];
    let means = 0;
    for (const run of quickstartRuns) {
      const compared = comparedWith(run);
      const { method, budget, firstToken } = compared[0]!.record.cell;
      const row = shown.get([method, budget === null ? '100%' : budgetName(budget), firstToken].join());
      for (const [task, { column, runs }] of Object.entries(golden.summary)) {
        const alike = compared.every(
          ({ record, expected }) => record.task !== task || record.answer === expected.text,
        );
        if (!alike) continue;
        means++;
        const mean = Number(row?.[header!.indexOf(column)]) / 100;
        if (!(Math.abs(mean - runs[run]!.score) <= 0.001)) wrong.push(`${task} ${run}: ${mean}`);
      }
    }
    expect(wrong).toEqual([]);
    expect(means).toBeGreaterThan(0.5 * quickstartRuns.length * Object.keys(golden.summary).length);
  });
});

describe('the same command again', () => {
  test('computes nothing, loads no backbone and writes the same bytes', async () => {
    const names = [...tables, 'samples.jsonl'];
    const before = await contentsOf(out, names);
    const again = await lookm(['bench'], place);
    expect({ code: again.code, stderr: again.stderr }).toEqual({ code: 0, stderr: '' });
    expect(again.stdout).toContain('Done: 2970 records (0 new, 2970 found), 0 prefills.\n');
    const after = await contentsOf(out, names);
    expect(names.filter((name) => after[name] !== before[name])).toEqual([]);
    expect(await countersOf(out)).toMatchObject({
      total: { prefills: 330, records: 2970 },
      lastCommand: { prefills: 0, records: 0, resumed: 2970, failures: 0 },
    });
  });
});

describe('the number of prefills', () => {
  test('is the number of samples, whether one cell is asked for or nine', async () => {
    const prefills: number[] = [];
    const written: number[] = [];
    for (const [name, flags] of [
      ['one', ['--methods', 'full']],
      ['nine', []],
    ] as const) {
      const command = ['bench', '--limit', '2', ...flags, '--out', name];
      expect(await lookm(command, place)).toMatchObject({ code: 0 });
      const { lastCommand } = await countersOf(path.join(place.cwd, name));
      prefills.push(lastCommand.prefills);
      written.push(lastCommand.records);
    }
    expect({ prefills, written }).toEqual({ prefills: [22, 22], written: [22, 198] });
  });
});
