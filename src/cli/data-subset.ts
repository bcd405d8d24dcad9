import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { chooseTasks } from '../bench/choose-tasks.js';
import { UserError } from '../core/errors.js';
import { listTasks } from '../milebench/dataset.js';
import type { SubsetAmount } from '../milebench/subset/choose-subset.js';
import { type SubsetProvenance, writeSubset } from '../milebench/subset/write-subset.js';
import { renderConsole } from '../report/render-console.js';
import type { TableColumn } from '../report/table.js';
import { openProgress } from './progress.js';
import { resolveDataset } from './resolve-asset.js';
import type { Shell } from './shell.js';

const examples = `
Examples:
  $ lookm data subset path/to/MileBench --out small --samples 500 --stratify
  $ lookm data subset path/to/MileBench --out small --per-dataset 20 --tasks T-1,GPR1200 --seed 7

The same command chooses the same samples on every machine. Without --stratify a smaller subset is part of a larger one.
`;

const columns: readonly TableColumn[] = [
  { header: 'dataset', kind: 'text' },
  { header: 'column', kind: 'text' },
  { header: 'samples', kind: 'number' },
  { header: 'of', kind: 'number' },
  { header: 'Few', kind: 'number' },
  { header: 'Medium', kind: 'number' },
  { header: 'Many', kind: 'number' },
  { header: 'images', kind: 'number' },
];

interface SubsetOptions {
  readonly out: string;
  readonly samples?: number;
  readonly perDataset?: number;
  readonly seed: number;
  readonly stratify?: boolean;
  readonly tasks: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

function readCount(text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1 || !Number.isSafeInteger(count))
    throw new InvalidArgumentError('It must be a whole number from 1.');
  return count;
}

function readSeed(text: string): number {
  const seed = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(seed))
    throw new InvalidArgumentError('It must be a whole number from 0.');
  return seed;
}

function amountOf({ samples, perDataset }: SubsetOptions): SubsetAmount {
  if (samples !== undefined) return { kind: 'total', samples };
  if (perDataset !== undefined) return { kind: 'per-dataset', samples: perDataset };
  throw new UserError({
    what: 'nothing says how many samples to choose',
    fix: 'give --samples for all datasets together or --per-dataset for each',
  });
}

/** What a reader must know before using the subset. */
function remarks({ datasets }: SubsetProvenance, root: string): string[] {
  const sum = (count: (dataset: SubsetProvenance['datasets'][number]) => number): number =>
    datasets.reduce((total, dataset) => total + count(dataset), 0);
  const unusable = sum((dataset) => dataset.unusable);
  const missing = sum((dataset) => dataset.missingPictures);
  const why = `\`lookm data verify ${root}\` says why`;
  return [
    ...(unusable === 0 ? [] : [`${unusable} samples cannot be run and were not to choose from: ${why}`]),
    ...(missing === 0 ? [] : [`${missing} combined pictures are missing in the source: ${why}`]),
  ];
}

function describe(
  subset: SubsetProvenance,
  { root, out, shell }: { readonly root: string; readonly out: string; readonly shell: Shell },
): void {
  const { stdout } = shell;
  const rows = subset.datasets.map(({ name, column, samples, of, levels, images, unusable }) => ({
    values: [name, column, samples, of, levels.Few, levels.Medium, levels.Many, images],
    flagged: unusable > 0,
  }));
  const title = `Subset of ${root}`;
  const notes = remarks(subset, root);
  stdout.write(renderConsole({ name: 'subset', title, notes, legend: [], columns, rows }, stdout));
  const { samples, images } = subset;
  stdout.write(`\n${stdout.paint.green('Done')}: ${out} (${samples} samples, ${images} images).\n`);
  stdout.write(`Next: lookm bench --dataset ${out}\n`);
}

async function subset(root: string, options: SubsetOptions, shell: Shell): Promise<void> {
  const { out, seed, stratify = false, json = false, quiet = false } = options;
  const amount = amountOf(options);
  const directory = await resolveDataset(root, { where: 'root', shell });
  const taskNames = options.tasks === 'all' ? 'all' : options.tasks.split(',').map((name) => name.trim());
  const tasks = chooseTasks(await listTasks(directory), { names: taskNames, where: () => '--tasks' });
  const progress = openProgress(shell, { unit: 'images', quiet: quiet || json });
  const written = await writeSubset({
    root: directory,
    out: path.resolve(shell.cwd, out),
    tasks,
    taskNames,
    rule: { amount, seed, stratify },
    onProgress: ({ done, of, dataset }) => progress.update(done, of, dataset),
  }).finally(() => progress.stop());
  if (json) shell.stdout.write(`${JSON.stringify(written, null, 2)}\n`);
  else describe(written, { root, out, shell });
}

/** `lookm data subset`: a smaller folder of datasets, the same on every machine. */
export function dataSubsetCommand(shell: Shell): Command {
  return new Command('subset')
    .description('write some samples of a folder of datasets as a folder of datasets')
    .argument('<root>', 'folder of datasets, or name of an embedded one')
    .requiredOption('--out <dir>', 'folder to write; it must be new or empty')
    .addOption(
      new Option('--samples <n>', 'samples of all datasets together')
        .argParser(readCount)
        .conflicts('perDataset'),
    )
    .addOption(new Option('--per-dataset <n>', 'samples of each dataset, or all it has').argParser(readCount))
    .addOption(new Option('--seed <n>', 'another seed chooses other samples').argParser(readSeed).default(0))
    .option('--stratify', 'keep the proportions of columns and image levels')
    .option('--tasks <list>', 'names of datasets or columns, or all', 'all')
    .option('--json', 'print JSON')
    .option('--quiet', 'show no progress')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', examples)
    .action((root: string, options: SubsetOptions) => subset(root, options, shell));
}
