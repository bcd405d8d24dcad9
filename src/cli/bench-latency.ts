import { mkdir } from 'node:fs/promises';
import { RunDirectory } from '../bench/run-directory.js';
import { latencyProtocol } from '../bench/run-manifest.js';
import { lockDirectory } from '../core/directory-lock.js';
import { invariant } from '../core/errors.js';
import { latencyLog } from '../latency/latency-record.js';
import { type LatencyProgress, type LatencySummary, runLatency } from '../latency/run-latency.js';
import { latencyTables } from '../report/latency/latency-tables.js';
import type { Table } from '../report/table.js';
import { writeTables } from '../report/write-tables.js';
import type { BenchServices } from './bench-services.js';
import { cacheDirectory } from './cache-directory.js';
import { describeLatencyRun, latencyRunAsJson } from './describe-latency.js';
import { prepareRun } from './prepare-run.js';
import { exitCodes } from './program.js';
import { openProgress, type Progress } from './progress.js';
import type { ResolvedRun } from './resolve-run.js';
import { requireMemory } from './run-memory.js';
import type { Shell } from './shell.js';

interface LatencyCommand {
  readonly services: BenchServices;
  readonly shell: Shell;
  readonly quiet: boolean;
}

function showProgress(progress: Progress): (event: LatencyProgress) => void {
  return (event) => {
    if (event.kind === 'notice') return progress.note(event.message);
    const { done, samples } = event;
    if (event.kind === 'opening') progress.update(done, samples, 'loading the backbone');
    if (event.kind === 'stage') progress.update(done, samples, `${event.task}: ${event.stage}`);
    if (event.kind === 'sample') progress.update(done, samples, event.task);
  };
}

/** What a run says before it starts where the caches of its longest prompt may not fit together. */
const tightMemory =
  'memory may be too small for all caches of the longest prompts at once: such samples fail; leave out cells or lower max-context';

/** Two runs at once would measure each other. */
async function beAlone({ env }: Shell): Promise<() => Promise<void>> {
  const directory = cacheDirectory(env, 'latency');
  await mkdir(directory, { recursive: true });
  return lockDirectory(directory, {
    doing: 'measures latency on this machine',
    instead: 'use another machine',
  });
}

async function execute(
  run: ResolvedRun,
  { services, shell, quiet }: LatencyCommand,
): Promise<{ readonly summary: LatencySummary; readonly tables: readonly Table[] }> {
  const { where, config } = run.located;
  const protocol = latencyProtocol(config);
  invariant(protocol !== null, 'a latency run has a protocol');
  const converting = openProgress(shell, { unit: 'MiB', quiet });
  const prepared = await prepareRun(run, services, { shell, converting });
  const { bundle, bundleSha256, description, memory, settings } = prepared;
  const directory = await RunDirectory.open(run.out, description, latencyLog, new Date());
  const progress = openProgress(shell, { unit: 'samples', quiet });
  const stopping = new AbortController();
  const forget = shell.onInterrupt(() => {
    progress.note('finishing the current sample; press Ctrl-C again to stop at once');
    stopping.abort();
  });
  const release = await beAlone(shell);
  try {
    const { threads, cacheBytes, generation, methods, seed } = settings;
    const { cells } = run.plan;
    const spillDirectory = cacheDirectory(shell.env, 'spill');
    const summary = await runLatency({
      ...{ plan: run.plan, directory, bundleSha256, threads },
      settings: { cells, methods, generation, protocol, seed, cacheBytes, spillDirectory },
      openSetup: () => {
        requireMemory(memory, where(['backbone']));
        if (memory.fit.kind === 'in parts') progress.note(tightMemory);
        return services.openSetup(bundle, settings);
      },
      onProgress: showProgress(progress),
      signal: stopping.signal,
    });
    const tables = latencyTables(summary.planned, cells);
    await writeTables(run.out, tables);
    return { summary, tables };
  } finally {
    await release();
    forget();
    progress.stop();
    await directory.close();
  }
}

/** The part of `lookm bench` that measures decode latency and the memory of caches. */
export async function benchLatency(
  run: ResolvedRun,
  { json, ...command }: LatencyCommand & { readonly json: boolean },
): Promise<void> {
  const { shell, quiet } = command;
  const { summary, tables } = await execute(run, command);
  const { stdout, stderr } = shell;
  for (const { task, sampleId, message } of summary.failures) {
    stderr.write(`${stderr.paint.red('failed:')} ${task}, sample ${sampleId}: ${message}\n`);
  }
  const shown = { tables, out: run.shownOut, output: stdout };
  if (json) stdout.write(latencyRunAsJson(summary, run.shownOut));
  else if (!quiet) stdout.write(describeLatencyRun(summary, shown));
  if (summary.interrupted) shell.setExitCode(exitCodes.interrupted);
  else shell.setExitCode(summary.failures.length > 0 ? exitCodes.user : exitCodes.ok);
}
