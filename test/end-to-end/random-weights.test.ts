import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { convertRandom } from '../../src/convert/convert-random.js';
import { smallRandomModel } from '../support/small-random-model.js';
import { type Called, lookm, openPlace, type Place, problemLines } from './real-lookm.js';
import { recordsOf } from './run-files.js';

let place: Place;
let called: Called;
beforeAll(async () => {
  place = await openPlace();
  const out = path.join(place.cache, 'bundles', 'random');
  await convertRandom({ out, dtype: 'int4', model: { sizes: smallRandomModel, seed: 0, layers: 2 } });
  const grid = ['--methods', 'full,h2o', '--budgets', '20%', '--tasks', 'PictureNumbers', '--limit', '2'];
  called = await lookm(['bench', '--backbone', out, ...grid, '--out', 'run'], place);
});

test('a run on random weights shows and writes what it costs, and no scores', async () => {
  expect({ code: called.code, problems: problemLines(called) }).toEqual({ code: 0, problems: [] });
  expect(called.stdout).toContain('Latency (ms)');
  expect(called.stdout).toContain('No scores are reported: the weights are random');
  expect(called.stdout).not.toMatch(/Score|Difference/);
  const run = path.join(place.cwd, 'run');
  const files = (await readdir(run)).sort();
  const tables = ['cache', 'latency', 'layers'].flatMap((name) => [`${name}.csv`, `${name}.md`]);
  expect(files).toEqual([...tables, 'manifest.json', 'samples.jsonl', 'failures.jsonl'].sort());
  const records = await recordsOf(run);
  expect(records).toHaveLength(6);
  expect(records.every(({ randomWeights }) => randomWeights)).toBe(true);
});

test('scoring it again shows no scores either', async () => {
  const scored = await lookm(['score', 'run'], place);
  expect(scored.code).toBe(0);
  expect(scored.stdout).toContain('No scores are reported: the weights are random');
  expect(scored.stdout).not.toContain('Score by');
  const summary = JSON.parse((await lookm(['score', 'run', '--json'], place)).stdout);
  expect(summary).toMatchObject({ randomWeights: true });
  expect(summary.files).not.toContain('accuracy.csv');
});

test('the list of backbones says so', async () => {
  const { stdout } = await lookm(['list', 'backbones', '--json'], place);
  expect(JSON.parse(stdout)).toContainEqual(
    expect.objectContaining({ name: 'random', kind: 'random weights' }),
  );
});
