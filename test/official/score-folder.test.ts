import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { pairwiseMean } from '../../src/core/pairwise-mean.js';
import { findResultFolder } from '../../src/official/result-folder.js';
import { officialHashes, readRun, score, scratch, writeJson, writeOutputs } from './recorded-runs.js';

const datasets = Object.keys(officialHashes);

function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

describe('scoring a root of official predictions', () => {
  test('writes every file of evaluate.py and score.py byte for byte', async () => {
    const root = await writeOutputs({ 'model-a': datasets, 'model-b': ['ALFRED', 'GPR1200'] });
    const { models, files } = await score(root);

    expect(models.map(({ model, failures }) => [model, failures])).toEqual([
      ['model-a', []],
      ['model-b', []],
    ]);
    for (const [dataset, hashes] of Object.entries(officialHashes)) {
      const folder = path.join(root, 'outputs/model-a', dataset);
      const written = readdirSync(folder).filter((name) => name !== 'pred.json');
      expect([
        dataset,
        Object.fromEntries(written.map((name) => [name, hashOf(path.join(folder, name))])),
      ]).toEqual([dataset, hashes]);
    }
    // json.dump(result, ensure_ascii=False, indent=4) of Python 3.11 on the recorded output of score.py.
    expect(hashOf(path.join(root, 'outputs/result.json'))).toBe(
      'bba4dbc9b2de8673cf018518caf90621edc07e67bf7f0711682d7a126b64004b',
    );
    expect(readFileSync(path.join(root, 'outputs/result.csv'), 'utf8')).toBe(
      [
        'Model,ActionPrediction (Accuracy),ObjectShuffle (Accuracy),ALFRED (Rouge-L f),MMCoQA (Accuracy),TextNeedleInAHaystack (Accuracy),GPR1200 (Accuracy)',
        'model-a,70.0,50.0,41.84,75.0,32.5,41.67',
        'model-b,,,41.84,,,41.67',
        '',
      ].join('\n'),
    );
    expect(files).toHaveLength(15 + 5 + 2);
    expect(new Set(files).size).toBe(files.length);
  });

  test('writes the same bytes when it runs again', async () => {
    const root = await writeOutputs({ model: ['GPR1200'] });
    await score(root);
    const before = hashOf(path.join(root, 'outputs/result.json'));
    await score(root);
    expect(hashOf(path.join(root, 'outputs/model/GPR1200/eval.json'))).toBe(
      officialHashes['GPR1200']!['eval.json'],
    );
    expect(hashOf(path.join(root, 'outputs/result.json'))).toBe(before);
  });

  test('reads the adversarial annotation when asked to', async () => {
    const root = await writeOutputs({ model: ['ObjectShuffle'] });
    const folder = path.join(root, 'data/ObjectShuffle');
    await rename(path.join(folder, 'ObjectShuffle.json'), path.join(folder, 'ObjectShuffle-adv.json'));
    const { models } = await score(root, { adversarial: true });
    expect(models[0]!.failures).toEqual([]);
    const written = hashOf(path.join(root, 'outputs/model/ObjectShuffle/eval.json'));
    expect(written).toBe(officialHashes['ObjectShuffle']!['eval.json']);
  });

  test('takes the eval.json of datasets without predictions, as score.py does', async () => {
    const root = await writeOutputs({ model: ['ALFRED', 'GPR1200'] });
    await score(root);
    const before = hashOf(path.join(root, 'outputs/result.json'));
    await rm(path.join(root, 'outputs/model/ALFRED/pred.json'));
    const { models } = await score(root);
    expect(models[0]!.scores.get('ALFRED')).toEqual({
      from: 'eval.json',
      metric: 'Rouge-L f',
      score: 0.4184311112319412,
    });
    expect(hashOf(path.join(root, 'outputs/result.json'))).toBe(before);
  });
});

describe('a dataset that cannot be scored', () => {
  test('is reported and leaves the others alone; its old score is not collected', async () => {
    const root = await writeOutputs({ model: ['ALFRED', 'GPR1200', 'MMCoQA'] });
    await score(root);
    await writeFile(path.join(root, 'outputs/model/ALFRED/pred.json'), '[{"sample_id": 1,]');
    await rm(path.join(root, 'data/MMCoQA/MMCoQA.json'));
    const { models } = await score(root);
    expect([...models[0]!.scores.keys()]).toEqual(['GPR1200']);
    expect(models[0]!.failures.map(({ dataset, error }) => [dataset, error.message])).toEqual([
      [
        'ALFRED',
        expect.stringMatching(
          /outputs.model.ALFRED.pred\.json: cannot be read as JSON \(.* at line 1, column 18\); /,
        ),
      ],
      ['MMCoQA', expect.stringMatching(/data.MMCoQA.MMCoQA\.json: does not exist; .* --dataset$/)],
    ]);
    expect(readFileSync(path.join(root, 'outputs/result.csv'), 'utf8')).toBe(
      'Model,GPR1200 (Accuracy)\nmodel,41.67\n',
    );
  });

  test('leaves no result file when it is the only one', async () => {
    const root = await writeOutputs({ model: ['ALFRED'] });
    await rm(path.join(root, 'data/ALFRED/ALFRED.json'));
    expect((await score(root)).files).toEqual([]);
    expect(readdirSync(path.join(root, 'outputs'))).toEqual(['model']);
  });

  test('can be an eval.json with something else than numbers', async () => {
    const root = await writeOutputs({ model: ['GPR1200'] });
    await writeJson(path.join(root, 'outputs/model/TQA/eval.json'), { Accuracy: 'high' });
    const { models } = await score(root);
    expect(models[0]!.failures.map(({ error }) => error.message)).toEqual([
      expect.stringMatching(/TQA.eval\.json, Accuracy: is no number; score the dataset again$/),
    ]);
  });
});

describe('predictions for part of the samples', () => {
  async function halfOfTwo(): Promise<string> {
    const root = await writeOutputs({ model: ['ALFRED', 'GPR1200'] });
    for (const dataset of ['ALFRED', 'GPR1200']) {
      const { predictions } = readRun(dataset);
      const kept = predictions.slice(0, predictions.length / 2);
      await writeJson(path.join(root, 'outputs/model', dataset, 'pred.json'), kept);
    }
    return root;
  }

  test('are refused as the script refuses them, with the missing ids', async () => {
    const root = await halfOfTwo();
    const [alfred, gpr] = (await score(root)).models[0]!.failures.map(({ error }) => error.message);
    expect(alfred).toMatch(
      /holds 75 predictions for 150 samples; none of (\d+, ){4}\d+ and 70 more; .*--partial$/,
    );
    expect(gpr).toMatch(/holds 12 predictions for 24 samples; none of /);
  });

  test('are scored with --partial, and counted, under names of their own', async () => {
    const root = await halfOfTwo();
    const { models, files } = await score(root, { partial: true });
    const alfred = models[0]!.scores.get('ALFRED')!;
    const gpr = models[0]!.scores.get('GPR1200')!;
    if (alfred.from !== 'predictions' || gpr.from !== 'predictions') throw new Error('not scored');
    expect([alfred.n, alfred.samples, gpr.n, gpr.samples]).toEqual([75, 150, 12, 24]);
    for (const { score: value, interval } of [alfred, gpr]) {
      expect(interval.low).toBeLessThan(value);
      expect(interval.high).toBeGreaterThan(value);
    }
    expect(files.map((file) => path.relative(path.join(root, 'outputs'), file))).toEqual([
      'model/ALFRED/eval.partial.json',
      'model/ALFRED/eval_score.partial.json',
      'model/GPR1200/eval.partial.json',
      'model/GPR1200/eval_score.partial.json',
      'model/GPR1200/pred_with_extracted.partial.json',
      'result.partial.json',
      'result.partial.csv',
    ]);
  });
});

test('the fixed semantics has files of its own and leaves the official ones alone', async () => {
  const root = await writeOutputs({ model: ['ActionPrediction', 'ALFRED'] });
  await score(root);
  const fixed = await score(root, { scoring: 'fixed' });
  expect(fixed.models[0]!.failures).toEqual([]);
  const folder = path.join(root, 'outputs/model/ActionPrediction');
  expect(readdirSync(folder).sort()).toEqual([
    'eval.fixed.json',
    'eval.json',
    'eval_score.fixed.json',
    'eval_score.json',
    'pred.json',
    'pred_with_extracted.fixed.json',
    'pred_with_extracted.json',
  ]);
  const official = officialHashes['ActionPrediction']!;
  for (const [name, hash] of Object.entries(official)) expect(hashOf(path.join(folder, name))).toBe(hash);
  const scores = JSON.parse(readFileSync(path.join(folder, 'eval_score.fixed.json'), 'utf8')) as {
    score: string;
  }[];
  const mean = pairwiseMean(scores.map((one) => Number(one.score)));
  expect(JSON.parse(readFileSync(path.join(folder, 'eval.fixed.json'), 'utf8')).Accuracy).toBe(mean);
});

describe('a folder of results', () => {
  test('is a root of models, one model’s folder, or neither', async () => {
    const root = await writeOutputs({ b: ['GPR1200'], a: ['ALFRED', 'GPR1200'] });
    const outputs = path.join(root, 'outputs');
    expect(await findResultFolder(outputs)).toEqual({
      kind: 'root',
      directory: outputs,
      models: [
        { model: 'a', directory: path.join(outputs, 'a'), predicted: ['ALFRED', 'GPR1200'] },
        { model: 'b', directory: path.join(outputs, 'b'), predicted: ['GPR1200'] },
      ],
    });
    expect(await findResultFolder(path.join(outputs, 'a'))).toMatchObject({
      kind: 'model',
      models: [{ model: 'a', predicted: ['ALFRED', 'GPR1200'] }],
    });
    expect(await findResultFolder(path.join(outputs, 'a/ALFRED'))).toBeNull();
    expect(await findResultFolder(await scratch())).toBeNull();
    await expect(findResultFolder(path.join(root, 'nowhere'))).rejects.toThrow(/nowhere: .* cannot be read/);
  });

  test('of one model gets its result.json and result.csv inside', async () => {
    const root = await writeOutputs({ 'llava, 7b "x"': ['GPR1200'] });
    const folder = await findResultFolder(path.join(root, 'outputs/llava, 7b "x"'));
    await score(root, { folder: folder! });
    expect(readFileSync(path.join(folder!.directory, 'result.csv'), 'utf8')).toBe(
      'Model,GPR1200 (Accuracy)\n"llava, 7b ""x""",41.67\n',
    );
    expect(
      Object.keys(JSON.parse(readFileSync(path.join(folder!.directory, 'result.json'), 'utf8'))),
    ).toEqual(['llava, 7b "x"']);
  });
});

test('datasets that MileBench does not know are scored by name and question type, and not collected', async () => {
  const root = await writeOutputs({ model: ['GPR1200'] });
  const { annotation, predictions } = readRun('TextNeedleInAHaystack');
  const name = 'ImageNeedleInAHaystackMini';
  await writeJson(path.join(root, `data/${name}/${name}.json`), annotation);
  await writeJson(path.join(root, `outputs/model/${name}/pred.json`), predictions);
  const { models } = await score(root);
  expect(models[0]!.scores.get(name)).toMatchObject({ metric: 'needle', score: 0.325, n: 40 });
  expect(hashOf(path.join(root, `outputs/model/${name}/eval.json`))).toBe(
    officialHashes['TextNeedleInAHaystack']!['eval.json'],
  );
  expect(readFileSync(path.join(root, 'outputs/result.json'), 'utf8')).not.toContain(name);
});
