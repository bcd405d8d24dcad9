import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { planBench } from '../../src/bench/plan.js';
import { recordVersion, sampleLog } from '../../src/bench/record.js';
import { type BenchProgress, type BenchSummary, runBench } from '../../src/bench/run-bench.js';
import { RunDirectory } from '../../src/bench/run-directory.js';
import { type RunDescription, type RunManifest, runManifestSchema } from '../../src/bench/run-manifest.js';
import type { SampleJob, SampleRunner } from '../../src/bench/sample-job.js';
import type { RunConfig } from '../../src/config/run-config.js';
import { UserError } from '../../src/core/errors.js';
import type { Task } from '../../src/milebench/dataset.js';
import { reportTables } from '../../src/report/report-tables.js';
import { writeTables } from '../../src/report/write-tables.js';
import { config, description, fakeRunner, generation, methods, scratch, writeTask } from './fake-run.js';

interface Setting {
  readonly out: string;
  readonly tasks: readonly Task[];
}

async function setting(samples = 3): Promise<Setting> {
  const root = await scratch();
  const tasks = [await writeTask(root, 'Things', samples), await writeTask(root, 'Places', samples)];
  return { out: path.join(root, 'results'), tasks };
}

/** One command, as the CLI runs it. */
async function command(
  { out, tasks }: Setting,
  options: {
    readonly runner?: SampleRunner;
    readonly config?: Partial<RunConfig>;
    readonly description?: RunDescription;
    readonly signal?: AbortSignal;
    readonly onProgress?: (event: BenchProgress) => void;
  } = {},
): Promise<BenchSummary> {
  const plan = planBench({ config: { ...config, ...options.config }, tasks });
  const directory = await RunDirectory.open(out, options.description ?? description, sampleLog, new Date(0));
  try {
    const summary = await runBench({
      plan,
      directory,
      bundleSha256: 'bundle',
      generation,
      methods,
      seed: 0,
      openRunner: async () => options.runner ?? fakeRunner(),
      now: () => new Date(1000),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(options.onProgress === undefined ? {} : { onProgress: options.onProgress }),
    });
    await writeTables(out, reportTables({ records: summary.planned, ...plan }));
    return summary;
  } finally {
    await directory.close();
  }
}

async function linesOf(out: string, name = 'samples.jsonl'): Promise<string[]> {
  return (await readFile(path.join(out, name), 'utf8')).split('\n').slice(0, -1);
}

async function manifestOf(out: string): Promise<RunManifest> {
  return runManifestSchema.parse(JSON.parse(await readFile(path.join(out, 'manifest.json'), 'utf8')));
}

const failOn = (task: string, sampleId: string) => (job: SampleJob) => {
  if (job.task.info.name !== task || job.sample.sampleId !== sampleId) return;
  throw new UserError({ what: 'the image is broken', where: `${task} ${sampleId}`, fix: 'restore it' });
};

describe('a run', () => {
  test('prefills each sample once for all its cells and stores their records together', async () => {
    const here = await setting();
    const runner = fakeRunner();
    const summary = await command(here, { runner });
    expect(summary).toMatchObject({ written: 18, resumed: 0, prefills: 6, failures: [], interrupted: false });
    expect(runner.jobs.map(({ cells }) => cells.length)).toEqual([3, 3, 3, 3, 3, 3]);
    expect(runner.closed()).toBe(1);
    expect(await linesOf(here.out)).toHaveLength(18);
    expect(summary.planned.map(({ task, sampleId }) => `${task} ${sampleId}`)).toEqual(
      ['Things', 'Places'].flatMap((task) => ['0', '1', '2'].flatMap((id) => Array(3).fill(`${task} ${id}`))),
    );
    expect((await manifestOf(here.out)).counters).toEqual({
      total: { prefills: 6, records: 18 },
      lastCommand: {
        ...{ prefills: 6, records: 18, resumed: 0, failures: 0, images: { decoded: 6, reused: 0 } },
        features: { encoded: 6, fromMemory: 0, fromDisk: 0, unwritten: 0 },
        caches: { memory: 6, spill: 0, groups: 0, movedBytes: 0 },
      },
    });
  });

  test('repeated computes nothing, opens no model and writes the same bytes', async () => {
    const here = await setting();
    await command(here);
    const names = [
      'samples.jsonl',
      'accuracy.csv',
      'accuracy.md',
      'cache.csv',
      'cache.md',
      'latency.csv',
      'latency.md',
    ];
    const read = (): Promise<string[]> =>
      Promise.all(names.map((name) => readFile(path.join(here.out, name), 'utf8')));
    const before = await read();
    await rm(path.join(here.out, 'accuracy.csv'));
    const runner = fakeRunner();
    const summary = await command(here, { runner });
    expect(summary).toMatchObject({ written: 0, resumed: 18, prefills: 0 });
    expect(runner.jobs).toEqual([]);
    expect(runner.closed()).toBe(0);
    expect(await read()).toEqual(before);
    expect((await manifestOf(here.out)).counters).toEqual({
      total: { prefills: 6, records: 18 },
      lastCommand: {
        ...{ prefills: 0, records: 0, resumed: 18, failures: 0, images: { decoded: 0, reused: 0 } },
        features: { encoded: 0, fromMemory: 0, fromDisk: 0, unwritten: 0 },
        caches: { memory: 0, spill: 0, groups: 0, movedBytes: 0 },
      },
    });
  });

  test('reads the images of a sample when its turn comes, one sample ahead', async () => {
    const here = await setting();
    const imageOf = (index: number): string => path.join(here.tasks[0]!.info.imageDir, `${index}.png`);
    const runner = fakeRunner(({ task, sample }) => {
      if (task.info.name !== 'Things' || sample.sampleId !== '0') return;
      rmSync(imageOf(1));
      rmSync(imageOf(2));
    });
    const summary = await command(here, { runner });
    expect(runner.jobs.map(({ sample }) => sample.sampleId)).toEqual(['0', '1', '0', '1', '2']);
    expect(summary.failures).toEqual([
      expect.objectContaining({ task: 'Things', sampleId: '2', message: expect.stringContaining('2.png') }),
    ]);
  });

  test('says what happens through events', async () => {
    const here = await setting(1);
    const events: BenchProgress[] = [];
    await command(here, {
      runner: fakeRunner(failOn('Things', '0')),
      onProgress: (event) => events.push(event),
    });
    expect(events).toEqual([
      { kind: 'opening', done: 0, samples: 2 },
      expect.objectContaining({ kind: 'failure', done: 1, samples: 2, task: 'Things', sampleId: '0' }),
      { kind: 'sample', done: 2, samples: 2, task: 'Places' },
    ]);
  });

  test('may ask for more cells later: only they run, on samples prefilled again', async () => {
    const here = await setting();
    await command(here, { config: { methods: ['full'] } });
    const runner = fakeRunner();
    expect(await command(here, { runner })).toMatchObject({ written: 12, resumed: 6, prefills: 6 });
    expect(new Set(runner.jobs.flatMap(({ cells }) => cells.map(({ cell }) => cell.method)))).toEqual(
      new Set(['h2o']),
    );
  });

  test('may ask for other semantics later: only their cells run', async () => {
    const here = await setting();
    await command(here);
    const runner = fakeRunner();
    const summary = await command(here, { config: { semantics: ['release', 'paper'] }, runner });
    expect(summary).toMatchObject({ written: 12, resumed: 18 });
    expect(new Set(runner.jobs.flatMap(({ cells }) => cells.map(({ cell }) => cell.semantics)))).toEqual(
      new Set(['paper']),
    );
  });

  test('may ask for less later: other records stay in the file and out of the tables', async () => {
    const here = await setting();
    await command(here);
    const summary = await command(here, { config: { methods: ['full'], limit: 1 } });
    expect(summary).toMatchObject({ written: 0, resumed: 2 });
    expect(summary.planned).toHaveLength(2);
    expect(await linesOf(here.out)).toHaveLength(18);
    expect(await readFile(path.join(here.out, 'accuracy.csv'), 'utf8')).not.toContain('h2o');
  });

  test('may raise its limit later', async () => {
    const here = await setting(4);
    await command(here, { config: { limit: 1, seed: 5 } });
    expect(await command(here, { config: { limit: 3, seed: 5 } })).toMatchObject({ written: 12, resumed: 6 });
  });

  test('stops after the current sample when asked to, and continues from there', async () => {
    const here = await setting();
    const stopping = new AbortController();
    const runner = fakeRunner((job) => {
      if (job.sample.sampleId === '1') stopping.abort();
    });
    const stopped = await command(here, { runner, signal: stopping.signal });
    expect(stopped).toMatchObject({ written: 6, interrupted: true });
    expect(runner.closed()).toBe(1);
    expect((await manifestOf(here.out)).finishedAt).toBeNull();
    expect(await command(here)).toMatchObject({ written: 12, resumed: 6, interrupted: false });
    expect(await manifestOf(here.out)).toMatchObject({
      startedAt: new Date(0).toISOString(),
      finishedAt: new Date(1000).toISOString(),
    });
  });
});

describe('a failure', () => {
  test('of one sample leaves the others alone, is written down, and is tried again', async () => {
    const here = await setting();
    const summary = await command(here, { runner: fakeRunner(failOn('Things', '1')) });
    const failure = { task: 'Things', sampleId: '1', message: 'Things 1: the image is broken; restore it' };
    expect(summary).toMatchObject({ written: 15, failures: [failure] });
    expect((await linesOf(here.out, 'failures.jsonl')).map((line) => JSON.parse(line))).toEqual([failure]);
    expect(await command(here)).toMatchObject({ written: 3, resumed: 15, failures: [] });
    expect(await linesOf(here.out, 'failures.jsonl')).toEqual([]);
  });

  test('of a sample to be read counts as well', async () => {
    const here = await setting();
    await rm(path.join(here.tasks[0]!.info.imageDir, '2.png'));
    const unreadable = { sampleId: '9', error: new UserError({ what: 'is missing', where: 'context' }) };
    const tasks = [here.tasks[0]!, { ...here.tasks[1]!, failures: [unreadable] }];
    const summary = await command({ ...here, tasks });
    expect(summary.written).toBe(15);
    expect(summary.failures).toEqual([
      expect.objectContaining({ task: 'Things', sampleId: '2', message: expect.stringContaining('2.png') }),
      { task: 'Places', sampleId: '9', message: 'context: is missing' },
    ]);
  });

  test('that is a bug ends the run, with everything before it stored', async () => {
    const here = await setting();
    const runner = fakeRunner(({ sample }) => {
      if (sample.sampleId === '2') throw new TypeError('x is not a function');
    });
    await expect(command(here, { runner })).rejects.toThrow('x is not a function');
    expect(runner.closed()).toBe(1);
    expect(await linesOf(here.out)).toHaveLength(6);
    expect((await manifestOf(here.out)).counters.total).toEqual({ prefills: 2, records: 6 });
    expect(await command(here)).toMatchObject({ written: 12, resumed: 6 });
  });

  test('of the runner to answer for the cells it was given is a bug', async () => {
    const here = await setting();
    const runner = fakeRunner();
    const short = { ...runner, runSample: async (job: SampleJob) => (await runner.runSample(job)).slice(1) };
    await expect(command(here, { runner: short })).rejects.toThrow('records of other cells');
    expect(await linesOf(here.out)).toEqual([]);
  });
});

describe('a damaged run directory', () => {
  test('loses a torn last line with a notice, and the sample runs again', async () => {
    const here = await setting();
    await command(here);
    const file = path.join(here.out, 'samples.jsonl');
    const { length } = await readFile(file);
    await truncate(file, length - 10);
    const events: BenchProgress[] = [];
    const summary = await command(here, { onProgress: (event) => events.push(event) });
    expect(summary).toMatchObject({ written: 1, resumed: 17 });
    expect(events[0]).toMatchObject({ kind: 'notice', message: expect.stringMatching(/^cut off \d+ bytes/) });
    expect(new Set((await linesOf(here.out)).map((line) => JSON.parse(line).key)).size).toBe(18);
  });

  test.each([
    ['no JSON', '{"key": ', /samples\.jsonl:19: not a record \(.*JSON.*\); delete the line/],
    [
      'no record',
      JSON.stringify({ version: recordVersion }),
      /samples\.jsonl:19: not a record \(key: .*\); delete the line/,
    ],
    [
      'a record of another version',
      '{"version": 99}',
      /samples\.jsonl:19: not a record \(version: .*\); delete/,
    ],
    ['an empty line', '', /samples\.jsonl:19: not a record/],
  ])('with %s in the middle is refused, naming file and line', async (_name, line, expected) => {
    const here = await setting();
    await command(here);
    await appendFile(path.join(here.out, 'samples.jsonl'), `${line}\n`);
    await expect(command(here)).rejects.toThrow(expected);
    await expect(command(here)).rejects.toBeInstanceOf(UserError);
  });

  test('with a broken manifest or none is refused', async () => {
    const here = await setting();
    await command(here);
    const file = path.join(here.out, 'manifest.json');
    await writeFile(file, '{"format": 1}');
    await expect(command(here)).rejects.toThrow(/manifest\.json: not a manifest .* choose another --out/);
    await writeFile(file, '{');
    await expect(command(here)).rejects.toThrow(/manifest\.json: not a manifest/);
    await rm(file);
    await expect(command(here)).rejects.toThrow('holds records without manifest.json');
  });
});

describe('a directory of another run', () => {
  test.each<[keyof RunDescription['identity'], string | number, string]>([
    ['bundleSha256', 'other', 'backbone'],
    ['datasetSha256', 'other', 'dataset'],
    ['maxNewTokens', 17, 'generation.max-new-tokens'],
    ['decoding', 'together', 'generation.decoding'],
    ['seed', 3, 'seed'],
    ['maxContext', 2048, 'max-context'],
    ['combineImages', 1, 'combine-images'],
    ['attention', 'native', 'attention'],
    ['device', 'cuda', 'device'],
    ['recordVersion', recordVersion + 1, 'version of the records'],
  ])('with another %s is refused and left as it was', async (field, value, name) => {
    const here = await setting();
    await command(here);
    const before = await readFile(path.join(here.out, 'manifest.json'), 'utf8');
    const identity = { ...description.identity, [field]: value };
    await expect(command(here, { description: { ...description, identity } })).rejects.toThrow(
      `${here.out}: holds a run with another ${name}; choose another --out or delete the directory`,
    );
    expect(await readFile(path.join(here.out, 'manifest.json'), 'utf8')).toBe(before);
    expect(await command(here)).toMatchObject({ resumed: 18 });
  });

  test('differing in several fields names all of them', async () => {
    const here = await setting();
    await command(here);
    const identity = { ...description.identity, seed: 1, bundleSha256: 'x' };
    await expect(command(here, { description: { ...description, identity } })).rejects.toThrow(
      'another backbone, seed;',
    );
  });
});

describe('the lock of a run directory', () => {
  test('keeps a second command out and is gone afterwards', async () => {
    const { out } = await setting();
    const first = await RunDirectory.open(out, description, sampleLog, new Date());
    await expect(RunDirectory.open(out, description, sampleLog, new Date())).rejects.toThrow(
      `${out}: process ${process.pid} is writing to it; wait for it, stop it, or choose another --out`,
    );
    await first.close();
    await (await RunDirectory.open(out, description, sampleLog, new Date())).close();
  });

  test.each([
    ['of a process that is gone', () => ({ pid: goneProcess(), since: Date.now() / 1000 })],
    ['of an earlier process with our number', () => ({ pid: process.pid, since: 1000 })],
    ['that nobody can read', () => 'not a lock'],
  ])('%s is taken over', async (_name, content) => {
    const here = await setting();
    await command(here);
    await writeFile(path.join(here.out, 'lock'), JSON.stringify(content()));
    expect(await command(here)).toMatchObject({ resumed: 18 });
  });
});

/** The number of a process that has ended. */
function goneProcess(): number {
  return spawnSync(process.execPath, ['-e', '']).pid;
}
