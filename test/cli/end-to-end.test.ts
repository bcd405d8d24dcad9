import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createBenchServices } from '../../src/cli/bench-services.js';
import { createOutput } from '../../src/cli/shell.js';
import { lookm, packageRoot, scratch } from './fake-shell.js';

test('the embedded backbone is converted once, answers a sample, and is not opened again', async () => {
  const cwd = await scratch();
  const env = { LOOKM_CACHE: path.join(cwd, 'cache') };
  const silent = createOutput(() => {}, false);
  const bench = createBenchServices({
    ...{ stdout: silent, stderr: silent, terminal: null, env, cwd, packageRoot },
    ...{ setExitCode: () => {}, onInterrupt: () => () => {} },
  });
  const command = ['bench', '--tasks', 'PictureNumbers', '--limit', '1'];
  const first = await lookm(command, { cwd, env, bench });
  expect(first.code).toBe(0);
  expect(first.stderr).toContain('converting tiny-llava\n');
  expect(first.stdout).toContain('Done: 9 records (9 new, 0 found), 1 prefill.');
  const bundles = await readdir(path.join(cwd, 'cache/bundles'));
  expect(bundles).toEqual([expect.stringMatching(/^tiny-llava-[0-9a-f]{12}$/)]);

  const read = (name: string): Promise<string> =>
    readFile(path.join(cwd, 'results/quickstart', name), 'utf8');
  const names = ['samples.jsonl', 'accuracy.csv', 'cache.md', 'latency.csv'];
  const before = await Promise.all(names.map(read));
  const second = await lookm(command, { cwd, env, bench });
  expect(second.stdout).toContain('Done: 9 records (0 new, 9 found), 0 prefills.');
  expect(second.stderr).toBe('');
  expect(await Promise.all(names.map(read))).toEqual(before);

  const plan = await lookm(
    [...command, '--dry-run', '--backbone', path.join(cwd, 'cache/bundles', bundles[0]!)],
    { cwd, bench },
  );
  expect(plan.stdout).toContain('1 samples × 9 cells = 9 records');
  const same = await lookm([...command, '--backbone', path.join(cwd, 'cache/bundles', bundles[0]!)], {
    cwd,
    bench,
  });
  expect(same.stdout).toContain('9 records (0 new, 9 found), 0 prefills.');
});
