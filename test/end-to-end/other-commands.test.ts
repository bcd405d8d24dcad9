import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { lookm, newDirectory, openPlace, type Place } from './real-lookm.js';
import { recordsOf } from './run-files.js';

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});

test('lookm --help shows every command', async () => {
  const { code, stdout, stderr } = await lookm(['--help'], place);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  for (const command of ['bench', 'list', 'convert', 'doctor', 'verify'])
    expect(stdout).toMatch(new RegExp(`^ +${command} `, 'm'));
});

describe('lookm list', () => {
  test.each([
    ['methods', ['full', 'h2o', 'look-m-tp-p', 'matched:<method>[/<rule>]']],
    ['tasks', ['ShapeExistence', 'PictureNumbers', 'ImageRetrievalMini']],
    ['backbones', ['tiny-llava']],
  ])('%s shows the same names as a table and as JSON', async (what, expected) => {
    const table = await lookm(['list', what], place);
    const json = await lookm(['list', what, '--json'], place);
    for (const { code, stderr } of [table, json]) expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const names: string[] = JSON.parse(json.stdout).map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(expected));
    const lines = table.stdout.split('\n');
    for (const name of names)
      expect(
        lines.some((line) => line.startsWith(`${name} `)),
        name,
      ).toBe(true);
  });
});

test('lookm doctor finds this machine and the embedded assets in order', async () => {
  const text = await lookm(['doctor'], place);
  expect({ code: text.code, stderr: text.stderr }, text.stdout).toEqual({ code: 0, stderr: '' });
  expect(text.stdout).toContain('ok    models/tiny-llava: intact\n');
  const json = await lookm(['doctor', '--json'], place);
  expect(json.code).toBe(0);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: true });
});

test('lookm convert makes a bundle that bench runs', async () => {
  const cwd = await newDirectory(place.cwd, 'converting');
  const here = { ...place, cwd };
  const converted = await lookm(['convert', repositoryPath('models/tiny-llava'), '--out', 'mine'], here);
  expect(converted.code).toBe(0);
  expect(converted.stdout).toContain('Next: lookm bench --backbone mine\n');
  const run = await lookm(['bench', '--backbone', 'mine', '--limit', '1', '--tasks', 'PictureNumbers'], here);
  expect(run.code).toBe(0);
  expect(run.stdout).toContain('Done: 9 records (9 new, 0 found), 1 prefill.\n');
  const records = await recordsOf(path.join(cwd, 'results/quickstart'));
  expect(new Set(records.map(({ backbone }) => backbone))).toEqual(new Set(['mine']));
});

test('lookm verify runs golden vectors', async () => {
  const { code, stdout, stderr } = await lookm(['verify', fixturePath('kv'), '--json'], place);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const { ok, tallies } = JSON.parse(stdout) as { ok: boolean; tallies: { mode: string }[] };
  expect(ok).toBe(true);
  for (const mode of ['h2o', 'text_prior_pivot_merge'])
    expect(tallies).toContainEqual(expect.objectContaining({ mode, status: 'passed', cases: 23 }));
});

test('lookm bench --dry-run shows the plan and writes nothing', async () => {
  const cwd = await newDirectory(place.cwd, 'planning');
  const here = { cwd, cache: path.join(cwd, 'cache') };
  const { code, stdout, stderr } = await lookm(['bench', '--dry-run'], here);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('330 samples × 9 cells = 2970 records, 330 prefills');
  expect(await readdir(cwd)).toEqual([]);
});
