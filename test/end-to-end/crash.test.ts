import { readFile, stat, truncate } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import { lookm, openPlace, type Place, problemLines, startLookm } from './real-lookm.js';
import { contentsOf, countersOf, linesOf, recordsOf, withoutTimes } from './run-files.js';

/** Records of three samples in each of eleven tasks under nine cells. */
const allRecords = 297;

const command = (out: string): string[] => ['bench', '--limit', '3', '--out', out];

let place: Place;

beforeAll(async () => {
  place = await openPlace();
  expect(await lookm(command('whole'), place)).toMatchObject({ code: 0 });
});

async function bytesIn(file: string): Promise<number> {
  return (await stat(file).catch(() => null))?.size ?? 0;
}

test('a run that was killed and left half a line is finished by the same command', async () => {
  const out = path.join(place.cwd, 'killed');
  const samples = path.join(out, 'samples.jsonl');
  const { child, ended } = startLookm(command('killed'), place);
  while (child.exitCode === null && (await bytesIn(samples)) === 0) await setTimeout(20);

  // A second process on the same directory is turned away and harms nothing.
  const second = await lookm(command('killed'), place);
  expect(second).toMatchObject({ code: 2, stdout: '' });
  expect(problemLines(second)).toEqual([
    `error: ${out}: process ${child.pid} is writing to it; wait for it, stop it, or choose another --out`,
  ]);

  child.kill('SIGKILL');
  expect(await ended).toMatchObject({ code: null });
  expect(child.signalCode).toBe('SIGKILL');
  const written = await linesOf(out);
  expect(written.length).toBeGreaterThan(1);
  expect(written.length).toBeLessThan(allRecords);
  expect(await bytesIn(path.join(out, 'lock'))).toBeGreaterThan(0);

  const lastComplete = Buffer.byteLength(written.map((line) => `${line}\n`).join(''));
  await truncate(samples, lastComplete - 25);
  const intact = written.slice(0, -1);

  const resumed = await lookm(command('killed'), place);
  expect(resumed.code).toBe(0);
  expect(problemLines(resumed)).toEqual([expect.stringMatching(/^cut off \d+ bytes of a record/)]);
  const { records, resumed: found } = (await countersOf(out)).lastCommand;
  expect({ records, found }).toEqual({ records: allRecords - intact.length, found: intact.length });
  expect((await linesOf(out)).slice(0, intact.length)).toEqual(intact);
  expect(await bytesIn(path.join(out, 'lock'))).toBe(0);
});

test('the finished run equals one that was never interrupted, times aside', async () => {
  const [whole, killed] = ['whole', 'killed'].map((name) => path.join(place.cwd, name));
  const expected = withoutTimes(await recordsOf(whole!));
  expect(expected).toHaveLength(allRecords);
  expect(withoutTimes(await recordsOf(killed!))).toEqual(expected);
  const tables = ['accuracy.csv', 'accuracy.md', 'cache.csv', 'cache.md'];
  expect(await contentsOf(killed!, tables)).toEqual(await contentsOf(whole!, tables));
});

test('Ctrl-C finishes the sample, writes tables and leaves the rest to the same command', async () => {
  const out = path.join(place.cwd, 'stopped');
  const { child, ended } = startLookm(command('stopped'), place);
  while (child.exitCode === null && (await bytesIn(path.join(out, 'samples.jsonl'))) === 0)
    await setTimeout(20);
  child.kill('SIGINT');
  const stopped = await ended;
  expect(stopped.code).toBe(130);
  expect(problemLines(stopped)).toEqual([expect.stringContaining('finishing the current sample')]);
  const { length } = await recordsOf(out);
  expect(length % 9).toBe(0);
  expect(stopped.stdout).toContain(
    `Stopped: ${length} records (${length} new, 0 found), ${length / 9} prefill`,
  );
  expect(await readFile(path.join(out, 'accuracy.csv'), 'utf8')).toContain('look-m-tp-p');
  expect(await lookm(command('stopped'), place)).toMatchObject({ code: 0 });
  expect((await countersOf(out)).total).toEqual({ prefills: 33, records: allRecords });
});
