import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readRun, scratch, writeJson, writeOutputs } from '../official/recorded-runs.js';
import { type Called, lookm } from './fake-shell.js';

function lookmScore(argv: readonly string[], cwd: string): Promise<Called> {
  return lookm(['score', ...argv], { cwd });
}

test('lookm score shows datasets and columns, names the semantics, and counts the files', async () => {
  const root = await writeOutputs({ a: ['ALFRED', 'ActionPrediction'], b: ['ALFRED'] });
  const { code, stdout } = await lookmScore(['outputs', '--dataset', 'data'], root);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^model +dataset +column +metric +score +low +high +n +of$/m);
  expect(stdout).toMatch(/^a +ALFRED +S-4 +rouge-l +41\.84 +\d+\.\d\d +\d+\.\d\d +150 +150$/m);
  expect(stdout).toMatch(/^a +ActionPrediction +T-1 +accuracy +70\.00 +54\.57 +81\.93 +40 +40$/m);
  expect(stdout).toMatch(/^model +T-1 +S-4$/m);
  expect(stdout).toMatch(/^a +70\.00 +41\.84 !$/m);
  expect(stdout).toMatch(/^b +– +41\.84 !$/m);
  expect(stdout).toContain('Scoring semantics: release');
  expect(stdout).toContain('Columns that lack datasets: a T-1 1 of 3, a S-4 1 of 2, b S-4 1 of 2.');
  expect(stdout).toMatch(/9 files written, the last .*outputs.result\.csv\n$/);
});

test('lookm score reports a dataset it cannot score, scores the others and exits with 2', async () => {
  const root = await writeOutputs({ a: ['ALFRED', 'GPR1200'] });
  await writeFile(path.join(root, 'outputs/a/ALFRED/pred.json'), '[]');
  const { code, stdout, stderr } = await lookmScore(['outputs', '--dataset', 'data'], root);
  expect(code).toBe(2);
  expect(stdout).toMatch(/^a +GPR1200 /m);
  expect(stderr).toMatch(
    /^not scored: a, ALFRED: .*pred\.json: holds no prediction; predict the samples first$/m,
  );
});

test('lookm score --json prints one object for programs', async () => {
  const root = await writeOutputs({ a: ['GPR1200', 'MMCoQA'] });
  await rm(path.join(root, 'data/MMCoQA'), { recursive: true });
  const { code, stdout, stderr } = await lookmScore(['outputs', '--dataset', 'data', '--json'], root);
  expect({ code, stderr }).toEqual({ code: 2, stderr: '' });
  const summary: unknown = JSON.parse(stdout);
  expect(summary).toMatchObject({
    ok: false,
    scoring: 'release',
    models: [
      {
        model: 'a',
        datasets: [{ dataset: 'GPR1200', column: 'IR', metric: 'accuracy', score: 10 / 24, n: 24, of: 24 }],
        columns: [{ column: 'IR', score: 10 / 24, datasets: 1, of: 1 }],
        failures: [{ dataset: 'MMCoQA', message: expect.stringContaining('does not exist') }],
      },
    ],
  });
});

test('lookm score --partial scores what is there and says how much that is', async () => {
  const root = await writeOutputs({ a: ['GPR1200'] });
  const { predictions } = readRun('GPR1200');
  await writeJson(path.join(root, 'outputs/a/GPR1200/pred.json'), predictions.slice(0, 6));
  const refused = await lookmScore(['outputs', '--dataset', 'data'], root);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/holds 6 predictions for 24 samples; none of .*--partial/);
  const { code, stdout } = await lookmScore(['outputs/a', '--dataset', 'data', '--partial'], root);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^a +GPR1200 +IR +accuracy +\d+\.\d\d +\d+\.\d\d +\d+\.\d\d +6 +24 !$/m);
  expect(stdout).toContain('Where n is below of, only part of the samples is scored');
  expect(stdout).toMatch(/outputs.a.result\.partial\.csv\n$/);
});

test('lookm score takes models in the order they are named, and only the named datasets', async () => {
  const root = await writeOutputs({ a: ['GPR1200', 'MMCoQA'], b: ['GPR1200'], c: ['GPR1200'] });
  const argv = ['outputs', '--dataset', 'data', '--models', 'c,a', '--tasks', 'GPR1200', '--json'];
  const summary: unknown = JSON.parse((await lookmScore(argv, root)).stdout);
  expect(summary).toMatchObject({
    models: [{ model: 'c' }, { model: 'a', datasets: [{ dataset: 'GPR1200' }] }],
  });
});

test.each([
  [['nowhere'], /^error: .*nowhere: the folder of predictions cannot be read .*; give a folder\n$/],
  [['data'], /^error: .*data: there is nothing to score .*; give a run directory, /],
  [['outputs', '--models', 'aa'], /^error: .*outputs: there are no predictions of a model "aa"; name a\n$/],
  [['outputs', '--tasks', 'GPR120'], /^error: .*no predictions of a dataset "GPR120"; name GPR1200\n$/],
  [['outputs', '--dataset', 'elsewhere'], /^error: --dataset: no directory "elsewhere"; /],
  [['outputs', '--scoring', 'best'], /^error: .*Allowed choices are release, fixed\.\n$/],
] as const)('lookm score %j is refused in one line', async (argv, message) => {
  const root = await writeOutputs({ a: ['GPR1200'] });
  const { code, stdout, stderr } = await lookmScore(argv, root);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(message);
});

test('a run directory takes no options that choose among predictions', async () => {
  const root = await scratch();
  await writeFile(path.join(root, 'manifest.json'), '{}');
  const { code, stderr } = await lookmScore(['.', '--partial'], root);
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr: 'error: --partial: does not apply to a run directory; leave it out\n',
  });
});
