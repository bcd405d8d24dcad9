import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { checkTree, type DatasetReport, type TreeReport } from '../milebench/check/check-tree.js';
import { describeTreeProblem } from '../milebench/problem-kinds.js';
import { renderConsole } from '../report/render-console.js';
import type { TableColumn } from '../report/table.js';
import { normaliseAnswer } from '../scoring/normalise-answer.js';
import { metrics } from '../scoring/registry.js';
import { openProgress } from './progress.js';
import { resolveDataset } from './resolve-asset.js';
import type { Shell } from './shell.js';

/** Exit code when there are problems. */
const problemsFound = 1;

/** More would only take memory: the decoder itself runs on four threads. */
const mostImagesAtOnce = 4;

const examples = `
Examples:
  $ lookm data verify path/to/MileBench
  $ lookm data verify path/to/MileBench --no-images    looks for image files, but decodes none
  $ lookm data verify minimile --strict --json         warnings count as well

Errors stop lookm or the official scripts, or lose samples. Warnings are passed over by both in silence.
Exit code 1 when there are errors.
`;

const columns: readonly TableColumn[] = [
  { header: 'dataset', kind: 'text' },
  { header: 'column', kind: 'text' },
  { header: 'samples', kind: 'number' },
  { header: 'images', kind: 'number' },
  { header: 'references', kind: 'number' },
  { header: 'unused files', kind: 'number' },
  { header: 'errors', kind: 'number' },
  { header: 'warnings', kind: 'number' },
];

interface VerifyOptions {
  readonly json?: boolean;
  readonly strict?: boolean;
  /** `false` with `--no-images`. */
  readonly images: boolean;
  readonly quiet?: boolean;
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

function rowOf(report: DatasetReport) {
  const { name, column, samples, images, references, unusedImages, errors, warnings } = report;
  return {
    values: [name, column, samples, images, references, unusedImages, errors, warnings],
    flagged: errors + warnings > 0,
  };
}

function describe(
  { datasets, problems, unlisted, errors, warnings }: TreeReport,
  { root, decoded, shell }: { readonly root: string; readonly decoded: boolean; readonly shell: Shell },
): void {
  const { write, paint, colours } = shell.stdout;
  for (const problem of problems) {
    const { severity } = problem;
    const mark = (severity === 'error' ? paint.red : paint.yellow)(`${severity}:`);
    write(`${mark} ${describeTreeProblem(problem)}\n`);
  }
  if (unlisted > 0) write(`… and ${counted(unlisted, 'more problem')}\n`);
  if (problems.length > 0) write('\n');
  const title = `Check of ${root}`;
  const notes = decoded ? [] : ['images were looked for and not decoded'];
  const rows = datasets.map(rowOf);
  write(renderConsole({ name: 'data-verify', title, notes, legend: [], columns, rows }, { colours }));
  const samples = datasets.reduce((sum, dataset) => sum + dataset.samples, 0);
  const images = datasets.reduce((sum, dataset) => sum + dataset.images, 0);
  const found = [
    counted(datasets.length, 'dataset'),
    counted(samples, 'sample'),
    counted(images, 'image'),
  ].join(', ');
  write(`\n${found}: ${counted(errors, 'error')}, ${counted(warnings, 'warning')}\n`);
}

async function verify(root: string, options: VerifyOptions, shell: Shell): Promise<void> {
  const { json = false, strict = false, images, quiet = false } = options;
  const directory = await resolveDataset(root, { where: 'root', shell });
  const readImage = images ? (await import('../backbone/decode-image.js')).readImage : null;
  const progress = openProgress(shell, { unit: 'images', quiet: quiet || json });
  const report = await checkTree(directory, {
    normaliseAnswer,
    metrics: Object.keys(metrics),
    readImage,
    concurrency: Math.min(availableParallelism(), mostImagesAtOnce),
    onProgress: ({ done, of, dataset }) => progress.update(done, of, dataset),
  }).finally(() => progress.stop());
  const ok = report.errors === 0 && (!strict || report.warnings === 0);
  if (json) shell.stdout.write(`${JSON.stringify({ ok, ...report }, null, 2)}\n`);
  else describe(report, { root, decoded: images, shell });
  if (!ok) shell.setExitCode(problemsFound);
}

/** `lookm data verify`: every fault of a folder of datasets. */
export function dataVerifyCommand(shell: Shell): Command {
  return new Command('verify')
    .description('check annotations and images, and report every fault')
    .argument('<root>', 'folder of datasets, or name of an embedded one')
    .option('--no-images', 'look for image files without decoding them')
    .option('--strict', 'exit with 1 for warnings too')
    .option('--json', 'print JSON')
    .option('--quiet', 'show no progress')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', examples)
    .action((root: string, options: VerifyOptions) => verify(root, options, shell));
}
