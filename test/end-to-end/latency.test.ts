import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { runManifestSchema } from '../../src/bench/run-manifest.js';
import { type LatencyRecord, latencyRecordSchema } from '../../src/latency/latency-record.js';
import { type Called, lookm, openPlace, type Place, problemLines } from './real-lookm.js';
import { copySmallDataset } from './small-dataset.js';

const patience = 300_000;
vi.setConfig({ testTimeout: patience, hookTimeout: patience });

const protocol = ['--latency', '--samples', '2', '--steps', '4', '--repeats', '3', '--seed', '1'];
const grid = ['--methods', 'full,h2o,look-m-tp-p+int8', '--budgets', '20%', '--tasks', 'T-4,PictureNumbers'];
const run = ['bench', ...protocol, ...grid, '--first-token', 'cache', '--out', 'run'];

let place: Place;
let called: Called;
let records: LatencyRecord[];
beforeAll(async () => {
  place = await openPlace();
  called = await lookm(run, place);
  const log = await readFile(path.join(place.cwd, 'run', 'latency.jsonl'), 'utf8');
  records = log
    .trimEnd()
    .split('\n')
    .map((line) => latencyRecordSchema.parse(JSON.parse(line)));
});

describe('a latency run', () => {
  test('shows latency and memory and writes the tables', async () => {
    expect({ code: called.code, problems: problemLines(called) }).toEqual({ code: 0, problems: [] });
    expect(called.stdout).toContain('Decode latency (ms a token)');
    expect(called.stdout).toContain('KV cache in memory (MiB)');
    expect(called.stdout).toContain('full (null test)');
    expect(called.stdout).toContain('Done: 2 samples (2 new, 0 found)');
    for (const name of ['latency', 'memory', 'memory-layers', 'repeats']) {
      const csv = await readFile(path.join(place.cwd, 'run', `${name}.csv`), 'utf8');
      expect(csv.split('\n').length).toBeGreaterThan(3);
    }
  });

  test('has a record a sample with every step of every cell', () => {
    expect(records).toHaveLength(2);
    for (const { cells, protocol: said, memoryRead, weightBytes } of records) {
      expect(said).toMatchObject({
        steps: 4,
        warmUp: 4,
        repeats: 3,
        nullTest: true,
        endOfSequence: 'ignored',
      });
      expect(cells.map(({ cell }) => cell.method)).toEqual(['full', 'h2o', 'look-m-tp-p+int8']);
      expect(memoryRead.rates).toHaveLength(3);
      expect(weightBytes).toBeGreaterThan(1e6);
      const places = [0, 1, 2].map((repeat) => cells.map(({ blocks }) => blocks[repeat]!.turn));
      expect(new Set(places.map((turns) => turns.join())).size).toBeGreaterThan(1);
      for (const { blocks, tokens, nullTest, cell } of cells) {
        expect(tokens).toHaveLength(8);
        expect(nullTest?.length).toBe(cell.method === 'full' ? 3 : undefined);
        for (const { steps, runtime, warmUp } of [...blocks, ...(nullTest ?? [])]) {
          expect([steps.length, runtime.length, warmUp.length]).toEqual([4, 4, 4]);
          for (const [i, step] of steps.entries()) {
            expect(step).toBeGreaterThan(0);
            expect(runtime[i]).toBeLessThanOrEqual(step);
          }
        }
      }
    }
  });

  test('counts rows and bytes after compression, at the end, and of the buffers', () => {
    for (const { cells, prompt } of records) {
      for (const { cache, cell, resident } of cells) {
        const element = cell.method.endsWith('+int8') ? 1 : 4;
        const [heads, headDim] = [6, 32];
        const scales = element === 1 ? 2 * heads * headDim * 4 : 0;
        const bytesOf = (rows: readonly number[]): number[] =>
          rows.map((count) => count * 2 * heads * headDim * element + scales);
        expect(cache.effective.bytes).toEqual(bytesOf(cache.effective.rows));
        expect(cache.end.rows).toEqual(cache.effective.rows.map((rows) => rows + 8));
        expect(cache.end.bytes).toEqual(bytesOf(cache.end.rows));
        expect(cache.allocated.bytes).toEqual(bytesOf(cache.allocated.rows));
        for (const [layer, rows] of cache.allocated.rows.entries()) {
          expect(rows % 64).toBe(0);
          expect(rows).toBeGreaterThanOrEqual(cache.end.rows[layer]!);
        }
        expect(resident.peak).toBeGreaterThan(0);
        const kept = cell.method === 'full' ? prompt.tokens : 0.5 * prompt.tokens;
        expect(cache.effective.rows[0]).toBeLessThanOrEqual(kept);
      }
    }
  });

  test('is in the manifest with its protocol', async () => {
    const manifest = runManifestSchema.parse(
      JSON.parse(await readFile(path.join(place.cwd, 'run', 'manifest.json'), 'utf8')),
    );
    const own = { steps: 4, warmUp: 4, repeats: 3, nullTest: true };
    expect(manifest.identity.latency).toEqual(own);
    expect(manifest.config.latency).toEqual({ ...own, samples: 2 });
    expect(manifest.counters.lastCommand).toMatchObject({ prefills: 2, records: 2, failures: 0 });
    expect(manifest.finishedAt).not.toBeNull();
  });

  test('measures nothing again, and other cells anew', async () => {
    const again = await lookm([...run, '--json'], place);
    expect(JSON.parse(again.stdout)).toMatchObject({ records: 2, written: 0, resumed: 2, prefills: 0 });
    const other = run.map((word) => (word.startsWith('full,') ? 'full,h2o' : word));
    const changed = await lookm([...other, '--json'], place);
    expect(JSON.parse(changed.stdout)).toMatchObject({ records: 2, written: 2, resumed: 0, prefills: 2 });
  });

  test('shares its directory with no run of another kind or protocol, and has no scores', async () => {
    const accuracy = await lookm(['bench', ...grid, '--seed', '1', '--limit', '1', '--out', 'run'], place);
    expect(accuracy.code).toBe(2);
    expect(problemLines(accuracy).join()).toMatch(/another .*latency/);
    const steps = await lookm([...run, '--steps', '5'], place);
    expect(problemLines(steps).join()).toMatch(/another .*latency/);
    const scored = await lookm(['score', 'run'], place);
    expect(scored.code).toBe(2);
    expect(problemLines(scored).join()).toContain('holds a latency run, which has no scores');
  });

  test('goes on after a sample that cannot be run, and tries it again', async () => {
    const data = await copySmallDataset(path.join(place.cwd, 'data'), 2);
    const image = await readFile(data.firstImage(1));
    await writeFile(data.firstImage(1), 'no image');
    const short = ['bench', '--latency', '--steps', '2', '--repeats', '1', '--methods', 'full,h2o'];
    const own = [...short, '--budgets', '20%', '--dataset', data.root, '--out', 'failing'];
    const first = await lookm(own, place);
    expect(first.code).toBe(2);
    expect(first.stdout).toContain('Done: 1 sample (1 new, 0 found), 1 sample failed');
    expect(problemLines(first).join()).toMatch(/failed: .*PictureNumbers, sample 1: /);
    await writeFile(data.firstImage(1), image);
    const second = await lookm([...own, '--json'], place);
    expect(JSON.parse(second.stdout)).toMatchObject({ records: 2, written: 1, resumed: 1, failures: [] });
  });

  test('says in a dry run what it would do', async () => {
    const planned = await lookm([...run, '--dry-run'], place);
    expect(planned.stdout).toContain(
      '3 cells take turns at decoding: 3 repeats of 4 + 4 steps, the full cache twice.',
    );
    expect(planned.stdout).toContain('2 samples, 2 prefills');
  });

  test('is refused while another one measures on the machine', async () => {
    const lock = path.join(place.cache, 'latency');
    await mkdir(lock, { recursive: true });
    await writeFile(path.join(lock, 'lock'), JSON.stringify({ pid: process.pid, since: Date.now() / 1000 }));
    const second = await lookm([...run.slice(0, -1), 'elsewhere'], place);
    expect(second.code).toBe(2);
    expect(problemLines(second).join()).toContain(`process ${process.pid} measures latency on this machine`);
  });
});
