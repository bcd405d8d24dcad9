import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { archiveOf, datasetMembers } from '../hub/archives.js';
import { hubAnswer, serve } from '../hub/fake-hub.js';
import { lookm, scratch } from './fake-shell.js';

async function loopbackHub(): Promise<string> {
  const files = {
    'MileBench_part1.tar.gz': await archiveOf(await datasetMembers('GPR1200', { samples: 3 })),
  };
  return (await serve(hubAnswer({ files }))).origin;
}

describe('lookm data fetch', () => {
  test('brings datasets, says what is there and what comes next, and continues', async () => {
    const cwd = await scratch();
    const argv = ['data', 'fetch', '--tasks', 'IR', '--endpoint', await loopbackHub()];
    const { code, stdout } = await lookm(argv, { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^GPR1200: 4 files, 0\.0 MiB\n/);
    expect(stdout).toMatch(/\nDone: datasets\/MileBench \(1 dataset, .*at commit c{12}\)\.\n/);
    expect(stdout).toMatch(/\nNext: lookm data verify datasets\/MileBench\n$/);
    expect(await readdir(path.join(cwd, 'datasets/MileBench'))).toEqual(['.fetch', 'GPR1200']);
    expect(await lookm(['data', 'verify', 'datasets/MileBench'], { cwd })).toMatchObject({ code: 0 });
    const again = await lookm([...argv, '--json'], { cwd });
    expect(JSON.parse(again.stdout)).toMatchObject({ downloadedBytes: 0, datasets: [{ status: 'present' }] });
  });

  test('takes the endpoint from the environment', async () => {
    const cwd = await scratch();
    const env = { HF_ENDPOINT: await loopbackHub() };
    expect(await lookm(['data', 'fetch', '--tasks', 'GPR1200', '--quiet'], { cwd, env })).toEqual({
      ...{ code: 0, stdout: '', stderr: '' },
    });
  });

  test.each<[readonly string[], RegExp]>([
    [
      ['--tasks', 'GPR12000'],
      /^error: --tasks: unknown dataset or column "GPR12000"; did you mean GPR1200\?/,
    ],
    [['--endpoint', 'here'], /^error: --endpoint: "here" is not the address of a hub; give one like https:/],
  ])('refuses %j in one line', async (flags, expected) => {
    const { code, stderr } = await lookm(['data', 'fetch', ...flags], { cwd: await scratch() });
    expect(code).toBe(2);
    expect(stderr).toMatch(expected);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
