import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { lookm, scratch } from './fake-shell.js';

test('lookm data subset writes a tree that lookm data verify finds clean', async () => {
  const cwd = await scratch();
  const { code, stdout } = await lookm(
    ['data', 'subset', 'minimile', '--out', 'small', '--samples', '44', '--stratify', '--quiet'],
    { cwd },
  );
  expect(code).toBe(0);
  expect(stdout).toMatch(/^Subset of minimile\n/);
  expect(stdout).toMatch(/^ImageRetrievalMini +IR +4 +30 +2 +2 +0 +\d+$/m);
  expect(stdout).toMatch(/\nDone: small \(44 samples, \d+ images\)\.\nNext: lookm bench --dataset small\n$/);
  const verified = await lookm(['data', 'verify', 'small', '--strict', '--quiet'], { cwd });
  expect(verified.code).toBe(0);
  expect(verified.stdout).toMatch(/\n11 datasets, 44 samples, \d+ images: 0 errors, 0 warnings\n$/);
});

test('lookm data subset --json prints what subset.json holds', async () => {
  const cwd = await scratch();
  const flags = ['--per-dataset', '2', '--tasks', 'T-2, PictureNumbers', '--seed', '9', '--json'];
  const { code, stdout, stderr } = await lookm(['data', 'subset', 'minimile', '--out', 'small', ...flags], {
    cwd,
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({
    rule: { amount: { kind: 'per-dataset', samples: 2 }, seed: 9, stratify: false },
    tasks: ['T-2', 'PictureNumbers'],
    samples: 4,
    datasets: [
      { name: 'ShapeExistence', samples: 2, of: 30, unusable: 0 },
      { name: 'PictureNumbers', samples: 2, of: 30, unusable: 0 },
    ],
  });
  expect(await readFile(path.join(cwd, 'small/subset.json'), 'utf8')).toBe(stdout);
});

test('lookm data subset shows progress as images', async () => {
  const cwd = await scratch();
  const flags = ['--out', 'small', '--samples', '3', '--tasks', 'T-2'];
  const { stderr } = await lookm(['data', 'subset', 'minimile', ...flags], { cwd });
  expect(stderr).toMatch(/^\d+\/(\d+) images, ShapeExistence\n(?:.*\n)*\1\/\1 images, ShapeExistence\n$/);
});

test.each<[readonly string[], RegExp]>([
  [[], /^error: nothing says how many samples to choose; give --samples .* or --per-dataset/],
  [
    ['--samples', '3', '--per-dataset', '3'],
    /'--samples <n>' cannot be used with option '--per-dataset <n>'/,
  ],
  [['--samples', '0'], /'--samples <n>' argument '0' is invalid. It must be a whole number from 1/],
  [['--samples', '1.5'], /'1.5' is invalid/],
  [['--per-dataset', 'many'], /'many' is invalid/],
  [['--samples', '3', '--seed', '-1'], /'-1' is invalid. It must be a whole number from 0/],
  [['--samples', '331'], /^error: --samples: asks for 331 samples, and 330 can be used; ask for fewer/],
  [['--samples', '3', '--tasks', 'T-9'], /^error: --tasks: unknown task or column "T-9"/],
])('lookm data subset with %j is refused in one line and writes nothing', async (flags, expected) => {
  const cwd = await scratch();
  const { code, stdout, stderr } = await lookm(['data', 'subset', 'minimile', '--out', 'small', ...flags], {
    cwd,
  });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  expect(stderr).toMatch(expected);
  expect(await readdir(cwd)).toEqual([]);
});

test('lookm data subset refuses a folder that holds something', async () => {
  const cwd = await scratch();
  const subset = () =>
    lookm(['data', 'subset', 'minimile', '--out', 'small', '--samples', '2', '--quiet'], { cwd });
  expect(await subset()).toMatchObject({ code: 0 });
  const { code, stderr } = await subset();
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: .*small: already exists; give another --out or remove it\n$/);
});
