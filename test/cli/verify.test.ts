import { copyFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { fixturePath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';
import { lookm, scratch } from './fake-shell.js';

const vector = 'h2o__s01_textfirst_10_10.safetensors';

/** A directory with one golden vector. */
async function oneVector(): Promise<string> {
  const directory = await scratch();
  const cases = z.array(z.looseObject({ file: z.string() }));
  const index = readJson(fixturePath('kv/index.json'), z.looseObject({ cases }));
  index.cases = index.cases.filter(({ file }) => file === vector);
  await writeFile(path.join(directory, 'index.json'), JSON.stringify(index));
  await copyFile(fixturePath(`kv/${vector}`), path.join(directory, vector));
  return directory;
}

test('lookm verify shows a row for every mode and ends with a count', async () => {
  const directory = await oneVector();
  const { code, stdout, stderr } = await lookm(['verify', directory]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^vectors +mode +result +cases /m);
  expect(stdout).toMatch(new RegExp(`^${directory} +h2o +passed +1 `, 'm'));
  expect(stdout).toMatch(/\n1 modes passed, 0 failed, 0 skipped\n$/);
});

test('lookm verify --json prints one object for programs', async () => {
  const directory = await oneVector();
  const { code, stdout } = await lookm(['verify', directory, '--json']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    ok: true,
    tallies: [
      expect.objectContaining({
        format: 'kv',
        directory,
        mode: 'h2o',
        status: 'passed',
        cases: 1,
        notes: [],
      }),
    ],
  });
});

test('lookm verify exits with 1 on a mismatch and names the case', async () => {
  const directory = await oneVector();
  const file = path.join(directory, vector);
  const content = await readFile(file);
  const start = 8 + Number(content.readBigUInt64LE(0));
  const place = z.object({ data_offsets: z.tuple([z.int(), z.int()]) });
  const header = z.object({ k_out: place }).parse(JSON.parse(content.subarray(8, start).toString()));
  const at = start + header.k_out.data_offsets[0];
  content.writeFloatLE(content.readFloatLE(at) + 1, at);
  // The copy of a read-only fixture is read-only.
  await rm(file);
  await writeFile(file, content);

  const text = await lookm(['verify', directory]);
  expect(text.code).toBe(1);
  expect(text.stdout).toMatch(/^failed: .*, h2o: .*K or V differ/m);
  expect(text.stdout).toMatch(/\n0 modes passed, 1 failed, 0 skipped\n$/);
  const json = await lookm(['verify', directory, '--json']);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, tallies: [{ status: 'failed' }] });
});

test('lookm verify refuses a directory without vectors in one line', async () => {
  const directory = await scratch();
  const { code, stdout, stderr } = await lookm(['verify', directory]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error: .*: no golden vectors found .*; give a directory of vectors.*\n$/);
  expect(stderr).toContain(directory);
});
