import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { repositoryPath } from '../support/fixture-path.js';
import { lookm, newDirectory, openPlace, type Place } from './real-lookm.js';
import { contentsOf, recordsOf } from './run-files.js';
import { copySmallDataset, smallTask } from './small-dataset.js';

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});

async function placeIn(name: string): Promise<Place> {
  return { ...place, cwd: await newDirectory(place.cwd, name) };
}

async function succeed(argv: readonly string[], here: Place): Promise<string> {
  const { code, stdout, stderr } = await lookm(argv, here);
  expect(code, `${argv.join(' ')}\n${stderr}`).toBe(0);
  return stdout;
}

/** A run file over the dataset `data` beside it, with more settings below. */
async function writeRunFile({ cwd }: Place, name: string, settings: string): Promise<void> {
  const text = `backbone: tiny-llava
dataset:
  root: ./data
  tasks: all
methods: [full, h2o]
budgets: [20%]
generation:
  max-new-tokens: 8
${settings}
`;
  await writeFile(path.join(cwd, name), text);
}

describe('a subset of a dataset', () => {
  test('is a dataset: checked, listed, run, and scored again without inference', async () => {
    const here = await placeIn('subset');
    const source = repositoryPath('datasets/minimile');
    await succeed(['data', 'subset', source, '--out', 'data', '--samples', '22', '--stratify'], here);
    await succeed(['data', 'verify', 'data'], here);
    const listed = JSON.parse(await succeed(['data', 'list', 'data', '--json'], here));
    expect(JSON.stringify(listed)).toContain(smallTask);
    await writeRunFile(here, 'run.yaml', '');
    const ran = await succeed(['bench', '-c', 'run.yaml'], here);
    expect(ran).toContain('22 prefills');
    const out = path.join(here.cwd, 'results/run');
    const names = [
      'samples.jsonl',
      'accuracy.csv',
      'accuracy.md',
      'cache.csv',
      'differences.csv',
      'datasets.csv',
    ];
    const before = await contentsOf(out, names);
    expect(await succeed(['score', 'results/run'], here)).toContain('no score has changed');
    expect(await contentsOf(out, names)).toEqual(before);
    const fixed = await succeed(['score', 'results/run', '--scoring', 'fixed'], here);
    expect(fixed).toMatch(/[Ss]coring: fixed/);
    const { 'samples.jsonl': records, 'accuracy.csv': accuracy } = await contentsOf(out, names);
    expect(records).toBe(before['samples.jsonl']);
    expect(accuracy).not.toBe(before['accuracy.csv']);
  });
});

describe('a run file', () => {
  test('may ask for the pictures that images are combined into', async () => {
    const here = await placeIn('combined');
    const data = await copySmallDataset(path.join(here.cwd, 'data'), 2);
    const pictures = path.join(data.root, smallTask, 'combined_1_images');
    await mkdir(pictures);
    const first = JSON.parse(await readFile(data.annotationFile, 'utf8')).data[0].sample_id;
    await copyFile(data.firstImage(first), path.join(pictures, 'one.png'));
    await data.edit(({ data: samples }) => {
      samples[0]!.task_instance['combined_1_images'] = ['one.png'];
    });
    await writeRunFile(here, 'run.yaml', 'combine-images: 1');
    const { code, stderr } = await lookm(['bench', '-c', 'run.yaml'], here);
    expect(code).toBe(2);
    expect(stderr).toMatch(/combined_1_images: combined images are missing; combine the images first/);
    const records = await recordsOf(path.join(here.cwd, 'results/run'));
    expect(new Set(records.map(({ sampleId }) => sampleId))).toEqual(new Set([String(first)]));
    for (const { prompt } of records) expect(prompt.images).toBe(1);
  });

  test('may set the context that prompts are cut to, and another context is another run', async () => {
    const here = await placeIn('context');
    await copySmallDataset(path.join(here.cwd, 'data'), 2);
    await writeRunFile(here, 'whole.yaml', 'out: whole');
    await writeRunFile(here, 'cut.yaml', 'out: cut\nmax-context: 200');
    await succeed(['bench', '-c', 'whole.yaml'], here);
    await succeed(['bench', '-c', 'cut.yaml'], here);
    const [whole, cut] = [
      await recordsOf(path.join(here.cwd, 'whole')),
      await recordsOf(path.join(here.cwd, 'cut')),
    ];
    expect(cut).toHaveLength(whole.length);
    for (const [index, { prompt, quantityLevel }] of cut.entries()) {
      const uncut = whole[index]!;
      expect(prompt.images).toBeLessThan(uncut.prompt.images);
      expect(prompt.tokens).toBeLessThan(uncut.prompt.tokens);
      expect(quantityLevel).toBe(uncut.quantityLevel);
    }
    await writeRunFile(here, 'other.yaml', 'out: cut');
    const refused = await lookm(['bench', '-c', 'other.yaml'], here);
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('holds a run with another max-context');
  });
});
