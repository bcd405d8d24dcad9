import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { formatPythonJson } from '../../src/core/format-python-json.js';
import { parsePythonJson } from '../../src/core/python-json.js';
import type { PythonDict, PythonValue } from '../../src/core/python-value.js';
import { findResultFolder, type ResultFolder } from '../../src/official/result-folder.js';
import { type FolderScores, type ScoreRequest, scoreFolder } from '../../src/official/score-folder.js';
import { fixturePath } from '../support/fixture-path.js';

/** SHA-256 of the files that Python 3.11's json.dump writes for the recorded whole-dataset runs. */
export const officialHashes: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ALFRED: {
    'eval.json': '94d914669348bc41880625a94a713528bf3b21081f838ccd4fb2778eb10c59ea',
    'eval_score.json': 'e48d72a3ea49ca2cf2f8da52015f2d7791e3f7b3716cd2a5df7b801911061b17',
  },
  ActionPrediction: {
    'eval.json': 'd9f5e3ba74f520517b154fff329ecf7459c552680163c1832315556d39e3c393',
    'eval_score.json': '18a2f53dff9647687dffc8da99af439bb05055109761f5c7c7e8b01071bbacf3',
    'pred_with_extracted.json': 'a145f5b2857018be3cae2f9e8a2af34115458967c86b573e53939d6149593d00',
  },
  GPR1200: {
    'eval.json': 'cc8b44ac96e592cc318f167640e44dbcd1c6826a02addda552ae0f504cf12757',
    'eval_score.json': '273a69ccb1f0791e2475d20b23a63baaf30b0622122d53e6da20888e7e9a88b0',
    'pred_with_extracted.json': 'fd6d37ccbcd3a97a28dad2422f0940bd31b4ecb4d4b7f3c7ac683766308b1920',
  },
  MMCoQA: {
    'eval.json': '86f51c874bcd71c386a2d4100af433f5059ba3652bcba97f84789c04372f5316',
    'eval_score.json': '63ee7bd5a3082d555c127c85c61464ff3a8f0c663d914e5804550e5c919a2236',
  },
  ObjectShuffle: {
    'eval.json': 'cee13f71a0bc975133d68291d595747b87782e8a964253f890b4cdbdac15eec0',
    'eval_score.json': '12dc1bb7b89481b71d5c001d0be06a55c34fe54bb3ff5fe8dc69b8494092dc5c',
    'pred_with_extracted.json': '21b94ead86db8b22221a6c467737b3e7a8f30bbff8137b45d690211ef8cf4a22',
  },
  TextNeedleInAHaystack: {
    'eval.json': '5fd9254e0815eebc29e40b673d45f0df956e302a3065273ae8d5a246367d7899',
    'eval_score.json': 'aff009a7cb98b61ff82c64f17b3f42d7f0c60247d255d977aec4d3be4b4edfa7',
  },
};

export interface RecordedRun {
  readonly annotation: PythonDict;
  readonly predictions: readonly PythonDict[];
}

export function readRun(dataset: string): RecordedRun {
  const text = readFileSync(fixturePath(`eval/datasets/${dataset}.json`), 'utf8');
  return parsePythonJson(text) as unknown as RecordedRun;
}

/** Writes a value as generate.py writes predictions. */
export async function writeJson(file: string, value: PythonValue): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, formatPythonJson(value, { indent: 4, ascii: false }));
}

export async function scratch(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-score-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

/** `<root>/data` with annotations and `<root>/outputs/<model>` with predictions of recorded runs. */
export async function writeOutputs(models: Readonly<Record<string, readonly string[]>>): Promise<string> {
  const root = await scratch();
  for (const [model, datasets] of Object.entries(models)) {
    for (const dataset of datasets) {
      const { annotation, predictions } = readRun(dataset);
      await writeJson(path.join(root, 'data', dataset, `${dataset}.json`), annotation);
      await writeJson(path.join(root, 'outputs', model, dataset, 'pred.json'), predictions);
    }
  }
  return root;
}

/** Scores `<root>/outputs`, or what is named. */
export async function score(
  root: string,
  request: Partial<Omit<ScoreRequest, 'folder'>> & { readonly folder?: ResultFolder } = {},
): Promise<FolderScores> {
  const folder = request.folder ?? (await findResultFolder(path.join(root, 'outputs')));
  if (folder === null) throw new Error('no folder of results');
  return scoreFolder({
    dataRoot: path.join(root, 'data'),
    tasks: null,
    adversarial: false,
    partial: false,
    scoring: 'release',
    onDataset: () => {},
    ...request,
    folder,
  });
}
