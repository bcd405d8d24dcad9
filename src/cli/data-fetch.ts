import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { suggestion } from '../config/suggestion.js';
import { lockDirectory } from '../core/directory-lock.js';
import { UserError } from '../core/errors.js';
import { describeBytes } from '../hub/disk-space.js';
import { type FetchSummary, fetchMileBench } from '../hub/fetch-milebench.js';
import { fetchFolderName } from '../hub/fetch-state.js';
import { officialDatasets } from '../milebench/taxonomy.js';
import { endpointHelp, withHub } from './hub-session.js';
import { openProgress } from './progress.js';
import type { Shell } from './shell.js';

const defaultOut = 'datasets/MileBench';

const examples = `
Examples:
  $ lookm data fetch                                     all of MileBench, a few GB, into ${defaultOut}
  $ lookm data fetch --tasks T-1,GPR1200 --out mile      the datasets of T-1 and GPR1200
  $ lookm data fetch --endpoint https://hub.example.org  from a mirror

The same command continues a download that was cut short and leaves alone what is there.
HF_TOKEN (a token) and HF_ENDPOINT (a mirror) of the environment are used.
`;

interface FetchFlags {
  readonly out: string;
  readonly tasks: string;
  readonly revision: string;
  readonly endpoint?: string | undefined;
  readonly keepArchives?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const mebibyte = 2 ** 20;

/** The datasets that a list of dataset and column names means, in the taxonomy's order. */
function chooseDatasets(list: string): string[] {
  const all = Object.entries(officialDatasets);
  if (list === 'all') return all.map(([name]) => name);
  const wanted = list.split(',').map((name) => name.trim());
  const known = [...new Set(all.flatMap(([name, { column }]) => [name, column]))];
  for (const name of wanted) {
    if (known.includes(name)) continue;
    const fix = `${suggestion(name, known)}give datasets or columns of MileBench, or all`;
    throw new UserError({ what: `unknown dataset or column "${name}"`, where: '--tasks', fix });
  }
  return all
    .filter(([name, { column }]) => wanted.includes(name) || wanted.includes(column))
    .map(([name]) => name);
}

async function fetchData(flags: FetchFlags, shell: Shell): Promise<void> {
  const { out, revision, endpoint, keepArchives = false, json = false } = flags;
  const datasets = chooseDatasets(flags.tasks);
  const quiet = (flags.quiet ?? false) || json;
  const progress = openProgress(shell, { unit: 'MiB', quiet });
  await withHub({ endpoint, progress, shell }, async (hub, signal) => {
    const root = path.resolve(shell.cwd, out);
    const release = await lockRoot(root);
    try {
      const summary = await fetchMileBench({
        ...{ hub, revision, root, datasets, keepArchives, signal },
        onProgress: ({ doing, archive, doneBytes, totalBytes }) => {
          const [done, total] = [doneBytes, totalBytes].map((bytes) => Math.ceil(bytes / mebibyte));
          progress.update(done ?? 0, total ?? 0, `${doing} ${archive}`);
        },
      });
      progress.stop();
      const shown = { out, endpoint: hub.endpoint, ...summary };
      if (json) shell.stdout.write(`${JSON.stringify(shown, null, 2)}\n`);
      else if (!quiet) describeFetch(summary, out, shell);
    } finally {
      await release();
    }
  });
}

/** Two fetches into one directory would unpack over each other. */
async function lockRoot(root: string): Promise<() => Promise<void>> {
  const folder = path.join(root, fetchFolderName);
  await mkdir(folder, { recursive: true });
  return lockDirectory(folder);
}

function describeFetch({ datasets, downloadedBytes, commit }: FetchSummary, out: string, shell: Shell): void {
  const { write, paint } = shell.stdout;
  for (const { name, status, files, bytes } of datasets) {
    const note = status === 'present' ? paint.dim(', was there') : '';
    write(`${name}: ${files} files, ${describeBytes(bytes)}${note}\n`);
  }
  const bytes = datasets.reduce((sum, dataset) => sum + dataset.bytes, 0);
  const count = `${datasets.length} dataset${datasets.length === 1 ? '' : 's'}, ${describeBytes(bytes)}`;
  const source = `downloaded ${describeBytes(downloadedBytes)} at commit ${commit.slice(0, 12)}`;
  write(`${paint.green('Done')}: ${out} (${count}; ${source}).\n`);
  write(`Next: lookm data verify ${out}\n`);
}

/** `lookm data fetch`: MileBench from the Hugging Face hub. */
export function dataFetchCommand(shell: Shell): Command {
  return new Command('fetch')
    .description('download MileBench, or part of it, from the Hugging Face hub')
    .option('--out <dir>', 'directory the datasets go into', defaultOut)
    .option('--tasks <list>', 'names of datasets or columns, or all', 'all')
    .option('--revision <name>', 'branch, tag or commit of the repository', 'main')
    .option('--endpoint <url>', endpointHelp)
    .option('--keep-archives', 'keep the archives beside the datasets, in .fetch')
    .option('--json', 'print a summary for programs')
    .option('--quiet', 'print errors only')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', examples)
    .action((flags: FetchFlags) => fetchData(flags, shell));
}
