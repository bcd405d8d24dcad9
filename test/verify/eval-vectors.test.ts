import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { verifyEvalVectors } from '../../src/verify/eval-vectors.js';
import { fixturePath } from '../support/fixture-path.js';

const vectors = fixturePath('eval');

/** A directory with these vector files, one text in each replaced. */
async function spoiled(files: Readonly<Record<string, readonly [string, string]>>): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-eval-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [name, [before, after]] of Object.entries(files)) {
    await cp(path.join(vectors, name), path.join(directory, name), { recursive: true });
    const text = await readFile(path.join(vectors, name), 'utf8');
    expect(text).toContain(before);
    await writeFile(path.join(directory, name), text.replace(before, after));
  }
  return directory;
}

test('every recorded call of the official scorer gives the recorded output', async () => {
  const tallies = await verifyEvalVectors(vectors);
  expect(tallies.map(({ mode, status, cases, notes }) => ({ mode, status, cases, notes }))).toEqual(
    [
      ['process', 788],
      ['char', 83],
      ['match_choice', 808],
      ['judge', 126],
      ['rouge_l', 159],
      ['evaluate_rouge', 10],
      ['evaluate_needle', 92],
      ['evaluate_multichoice', 4],
      ['errors', 9],
      ['numeric', 188],
      ['score', 1],
      ['datasets', 6],
    ].map(([mode, cases]) => ({ mode, status: 'passed', cases, notes: [] })),
  );
  expect(new Set(tallies.map(({ format, directory }) => `${format} ${directory}`))).toEqual(
    new Set([`eval ${vectors}`]),
  );
});

test.each([
  ['char.json', '"output": "A"', '"output": "a"', /^row 0 \(char\): "A" instead of "a", from character 1$/],
  ['numeric.json', '"output": 0.0', '"output": 0', /^row \d+ \(round_percent2\): 0\.0 instead of 0,/],
  ['numeric.json', '"output": "0.0"', '"output": "0"', /^row \d+ \(str_round3\): /],
  [
    'judge.json',
    '"result":0,"extracted":"B"',
    '"extracted":"B","result":0',
    /^row \d+ \(judge_multi_choice\): /,
  ],
  [
    'judge.json',
    '"gt_response":"not there"',
    '"gt_response":"x"',
    /^row 0 \(judge_multi_choice\): should fail as .* \(AssertionError\)$/,
  ],
  [
    'errors.json',
    '"fn":"evaluate_rouge"',
    '"fn":"evaluate"',
    /^row 0 \(evaluate\): there is no such function$/,
  ],
  ['errors.json', '"NaN"', '0', /^row 6 \(evaluate_rouge\): .*NaN/],
  ['score.json', '"Model":"model-a"', '"Model":"model-c"', /^row 0 \(score_main\): /],
  ['evaluate_rouge.json', '0.5999999952', '0.5999999953', /^row 0 \(evaluate_rouge\): /],
  ['evaluate_needle.json', '"score":"1"', '"score":1', /^row \d+ \(evaluate_needle\): /],
  ['evaluate_multichoice.json', '"extracted":', '"read":', /^row 0 \(evaluate_multichoice\): /],
] as const)('in %s, %s turned into %s is noticed', async (file, before, after, note) => {
  const directory = await spoiled({ [file]: [before, after] });
  const [tally] = await verifyEvalVectors(directory);
  expect(tally).toMatchObject({ status: 'failed', mode: path.parse(file).name });
  expect(tally!.notes).toEqual([expect.stringMatching(note)]);
});

test('whole datasets are compared as the bytes of their files', async () => {
  const directory = await spoiled({
    'datasets/ALFRED.json': ['"score":"0.0"', '"score":"0"'],
    'datasets/GPR1200.json': ['"eval":{"Accuracy":', '"eval":{"Accuracy":1'],
    'datasets/MMCoQA.json': ['"predictions":[', '"predictions":[{},'],
  });
  const [tally] = await verifyEvalVectors(directory);
  expect(tally).toMatchObject({ mode: 'datasets', cases: 3, status: 'failed' });
  expect(tally!.notes).toEqual([
    expect.stringMatching(/^ALFRED\.json: eval_score\.json differs: .*, from character \d+$/s),
    expect.stringMatching(/^GPR1200\.json: eval\.json differs: .* instead of .*"Accuracy": 10\.4/),
    expect.stringMatching(
      /^MMCoQA\.json: MMCoQA\.json, predictions, prediction 0, field sample_id: is missing; /,
    ),
  ]);
});

test('files that are no vectors are refused with their name', async () => {
  const directory = await spoiled({ 'char.json': ['"fn"', '"function"'] });
  await expect(verifyEvalVectors(directory)).rejects.toThrow(
    /char\.json, field 0\.fn: .*; restore the vectors$/,
  );
});
