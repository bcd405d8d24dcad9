import path from 'node:path';
import { Command, Option } from 'commander';
import { manifestName } from '../bench/run-directory.js';
import { scoringSchema } from '../config/protocols.js';
import { UserError } from '../core/errors.js';
import { fileExists } from '../core/json-file.js';
import { findResultFolder, type ResultFolder } from '../official/result-folder.js';
import { type PredictionOptions, scorePredictions } from './score-predictions.js';
import type { Shell } from './shell.js';

const defaultDataset = 'datasets/minimile';

const examples = `
Examples:
  $ lookm score outputs --dataset data/MileBench                every model, as evaluate.py and score.py
  $ lookm score outputs/llava-v1.5-7b --dataset data/MileBench  one model
  $ lookm score outputs --dataset data/MileBench --partial      part of the samples, with n and intervals
  $ lookm score results/h2o --scoring fixed                     a run of lookm bench, without inference

<dir> is a run directory, or holds <model>/<Dataset>/pred.json or <Dataset>/pred.json. Beside each pred.json go
eval.json, eval_score.json and (multiple choice) pred_with_extracted.json, into <dir> result.json and result.csv. What
--scoring fixed and --partial write has names of its own, such as eval.fixed.json.
`;

/** What there is to score in a directory. */
type ScoreTarget = { readonly kind: 'run' } | { readonly kind: 'predictions'; readonly folder: ResultFolder };

async function findTarget(directory: string): Promise<ScoreTarget> {
  if (await fileExists(path.join(directory, manifestName))) return { kind: 'run' };
  const folder = await findResultFolder(directory);
  if (folder !== null) return { kind: 'predictions', folder };
  throw new UserError({
    what: 'there is nothing to score (no run, no <Dataset>/pred.json, no <model>/<Dataset>/pred.json)',
    where: directory,
    fix: 'give a run directory, the folder that generate.py wrote, or one model’s folder in it',
  });
}

/** Options that choose among predictions: a run knows its samples and its dataset. */
const predictionFlags = ['models', 'tasks', 'adv', 'partial'] as const;

async function score(directory: string, options: PredictionOptions, shell: Shell): Promise<void> {
  const target = await findTarget(path.resolve(shell.cwd, directory));
  if (target.kind === 'predictions') return scorePredictions(target.folder, options, shell);
  const flag = predictionFlags.find((name) => options[name] !== undefined);
  if (flag !== undefined) {
    const what = 'does not apply to a run directory';
    throw new UserError({ what, where: `--${flag}`, fix: 'leave it out' });
  }
  const { scoreRun } = await import('./score-run.js');
  await scoreRun(directory, { scoring: options.scoring ?? null, json: options.json ?? false, shell });
}

/** The names of a list such as `a,b`. */
function readNames(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  return names.filter((name) => name !== '');
}

/** `lookm score`: the official scorer's files and tables from predictions. */
export function scoreCommand(shell: Shell): Command {
  return new Command('score')
    .description('score predictions as MileBench does, or a run again')
    .argument('<dir>', 'folder of predictions, or run directory')
    .option('--dataset <name|dir>', 'datasets with the annotations', defaultDataset)
    .option('--models <names>', 'only these models, in this order', readNames)
    .option('--tasks <names>', 'score only these datasets', readNames)
    .option('--adv', 'score against <Dataset>-adv.json')
    .option('--partial', 'accept predictions for part of the samples')
    .addOption(
      new Option('--scoring <semantics>', 'which scores (default: release, or what a run asked for)').choices(
        scoringSchema.options,
      ),
    )
    .option('--json', 'print JSON')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', examples)
    .action((directory: string, options: PredictionOptions) => score(directory, options, shell));
}
