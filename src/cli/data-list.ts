import { Command } from 'commander';
import { listTasks } from '../milebench/dataset.js';
import { type DatasetSummary, summariseDataset } from '../milebench/dataset-summary.js';
import { renderConsole } from '../report/render-console.js';
import type { TableColumn } from '../report/table.js';
import { resolveDataset } from './resolve-asset.js';
import type { Shell } from './shell.js';

const defaultRoot = 'datasets/minimile';

const examples = `
Examples:
  $ lookm data list                          the embedded dataset
  $ lookm data list path/to/MileBench --json
`;

const columns: readonly TableColumn[] = [
  { header: 'dataset', kind: 'text' },
  { header: 'column', kind: 'text' },
  { header: 'metric', kind: 'text' },
  { header: 'question type', kind: 'text' },
  { header: 'samples', kind: 'number' },
  { header: 'images', kind: 'number' },
  { header: 'references', kind: 'number' },
  { header: 'Few', kind: 'number' },
  { header: 'Medium', kind: 'number' },
  { header: 'Many', kind: 'number' },
];

function sumOf(summaries: readonly DatasetSummary[], count: (summary: DatasetSummary) => number): number {
  return summaries.reduce((sum, summary) => sum + count(summary), 0);
}

function describe(summaries: readonly DatasetSummary[], root: string, { stdout }: Shell): void {
  const rows = summaries.map(({ name, column, metric, questionType, unusable, levels, ...counts }) => ({
    values: [
      ...[name, column, metric, questionType, counts.samples, counts.images, counts.references],
      ...[levels.Few, levels.Medium, levels.Many],
    ],
    flagged: unusable > 0,
  }));
  const unusable = sumOf(summaries, (summary) => summary.unusable);
  const notes =
    unusable === 0
      ? []
      : [`${unusable} more samples do not fit the format: \`lookm data verify ${root}\` says why`];
  const title = `Datasets of ${root}`;
  stdout.write(renderConsole({ name: 'datasets', title, notes, legend: [], columns, rows }, stdout));
  const samples = sumOf(summaries, (summary) => summary.samples);
  const images = sumOf(summaries, (summary) => summary.images);
  stdout.write(`\n${summaries.length} datasets, ${samples} samples, ${images} images\n`);
}

async function list(root: string, json: boolean, shell: Shell): Promise<void> {
  const directory = await resolveDataset(root, { where: 'root', shell });
  const summaries: DatasetSummary[] = [];
  for (const info of await listTasks(directory)) summaries.push(await summariseDataset(info));
  if (json) shell.stdout.write(`${JSON.stringify(summaries, null, 2)}\n`);
  else describe(summaries, root, shell);
}

/** `lookm data list`: what the annotations of a folder of datasets hold. */
export function dataListCommand(shell: Shell): Command {
  return new Command('list')
    .description('show datasets with their samples, images and metrics')
    .argument('[root]', 'name of an embedded dataset, or folder of datasets', defaultRoot)
    .option('--json', 'print JSON')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', examples)
    .action((root: string, { json = false }: { json?: boolean }) => list(root, json, shell));
}
