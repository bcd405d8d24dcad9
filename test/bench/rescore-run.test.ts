import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { planBench } from '../../src/bench/plan.js';
import { type SampleRecord, sampleLog, sampleRecordSchema } from '../../src/bench/record.js';
import { rescoreRun } from '../../src/bench/rescore-run.js';
import { runBench } from '../../src/bench/run-bench.js';
import { RunDirectory } from '../../src/bench/run-directory.js';
import { manifestConfig } from '../../src/bench/run-manifest.js';
import { budgetName } from '../../src/config/budget.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { reportTables } from '../../src/report/report-tables.js';
import { requireBudget } from '../support/require-budget.js';
import { config, description, fakeRunner, generation, methods, scratch, writeTask } from './fake-run.js';

/** A run of two tasks whose recorded scores are made up: every answer is its reference. */
async function finishedRun(changes: Partial<Pick<RunConfig, 'semantics' | 'budgets'>> = {}): Promise<string> {
  const root = await scratch();
  const tasks = [await writeTask(root, 'Things', 3), await writeTask(root, 'Places', 3)];
  const out = path.join(root, 'results');
  const asked = { ...config, ...changes };
  const described = {
    ...description,
    config: manifestConfig(asked, { attention: 'portable', device: 'cpu', threads: 1 }),
  };
  const directory = await RunDirectory.open(out, described, sampleLog, new Date(0));
  await runBench({
    plan: planBench({ config: asked, tasks }),
    directory,
    bundleSha256: 'bundle',
    generation,
    methods,
    seed: 0,
    openRunner: async () => fakeRunner(),
  });
  await directory.close();
  return out;
}

async function recordsIn(out: string): Promise<SampleRecord[]> {
  const lines = (await readFile(path.join(out, 'samples.jsonl'), 'utf8')).trimEnd().split('\n');
  return lines.map((line) => sampleRecordSchema.parse(JSON.parse(line)));
}

test('gives every record the scores of its answer and leaves the rest alone', async () => {
  const out = await finishedRun();
  const before = await recordsIn(out);
  const { records, changed } = await rescoreRun(out);
  expect(changed).toBe(before.length);
  const after = await recordsIn(out);
  expect(after).toEqual(records);
  for (const [index, { scores, ...rest }] of after.entries()) {
    const { scores: made, ...unscored } = before[index]!;
    expect(rest).toEqual(unscored);
    expect(scores).not.toEqual(made);
    expect(scores.release.score).toBeCloseTo(1, 6);
    expect(scores.fixed).toEqual(scores.release);
  }
});

test('writes nothing when every score stands', async () => {
  const out = await finishedRun();
  await rescoreRun(out);
  const file = path.join(out, 'samples.jsonl');
  const before = (await stat(file)).mtimeMs;
  expect((await rescoreRun(out)).changed).toBe(0);
  expect((await stat(file)).mtimeMs).toBe(before);
});

test('hands out what tables are made of, in the order of the run file', async () => {
  const out = await finishedRun();
  const rescored = await rescoreRun(out);
  expect(rescored.cells.map(({ method, firstToken }) => `${method} ${firstToken}`)).toEqual([
    'full prefill',
    'h2o prefill',
    'h2o cache',
  ]);
  expect(rescored).toMatchObject({ firstTokens: ['prefill', 'cache'], scoring: 'release' });
  expect(reportTables(rescored).map(({ name }) => name)).toContain('accuracy');
});

test('finds cells of every semantics and kind of budget again', async () => {
  const budgets = ['64MiB', '128tok+384tok'].map((text) => requireBudget(text, ''));
  const { cells } = await rescoreRun(await finishedRun({ semantics: ['paper', 'release'], budgets }));
  const names = cells.map(({ method, semantics, budget }) =>
    [method, semantics, budget && budgetName(budget)].join(' '),
  );
  expect([...new Set(names)]).toEqual([
    'full paper ',
    ...['h2o paper 64MiB', 'h2o paper 128tok+384tok'],
    ...['h2o release 64MiB', 'h2o release 128tok+384tok'],
  ]);
});

test('shows the newest record of a sample that was run again after its image changed', async () => {
  const out = await finishedRun();
  const [first, ...others] = await recordsIn(out);
  const again = { ...first!, key: 'another', answer: 'something else' };
  const lines = [first!, ...others, again].map((record) => `${JSON.stringify(record)}\n`);
  await writeFile(path.join(out, 'samples.jsonl'), lines.join(''));
  const { records } = await rescoreRun(out);
  expect(records).toHaveLength(others.length + 1);
  expect(records.find(({ key }) => key === 'another')?.scores.release.score).toBeLessThan(1);
  expect(records.some(({ key }) => key === first!.key)).toBe(false);
  expect(await recordsIn(out)).toHaveLength(others.length + 2);
});

test('refuses a directory that holds no run, and one that another process works on', async () => {
  await expect(rescoreRun(await scratch())).rejects.toThrow(/holds no manifest.json; give the --out/);
  const out = await finishedRun();
  const held = await RunDirectory.open(out, description, sampleLog, new Date(0));
  await expect(rescoreRun(out)).rejects.toThrow(/process/);
  await held.close();
});
