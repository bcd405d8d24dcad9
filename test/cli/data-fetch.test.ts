import { mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { dataCommand } from '../../src/cli/data.js';
import { runProgram } from '../../src/cli/program.js';
import { createOutput } from '../../src/cli/shell.js';
import { lockDirectory } from '../../src/core/directory-lock.js';
import { archiveOf, datasetMembers } from '../hub/archives.js';
import { hubAnswer, serve } from '../hub/fake-hub.js';
import { lookm, packageRoot, scratch } from './fake-shell.js';

/** Runs the command in a shell whose Ctrl-C is `whenInterruptible` calling its argument. */
async function interruptible(
  argv: readonly string[],
  { cwd, whenInterruptible }: { cwd: string; whenInterruptible: (interrupt: () => void) => void },
): Promise<{ code: number; stderr: string }> {
  let stderr = '';
  const code = await runProgram({
    commands: [dataCommand],
    argv,
    openShell: (setExitCode) => ({
      stdout: createOutput(() => {}, false),
      stderr: createOutput((added) => {
        stderr += added;
      }, false),
      ...{ terminal: null, env: {}, cwd, packageRoot, setExitCode },
      onInterrupt: (stop) => {
        whenInterruptible(stop);
        return () => {};
      },
    }),
  });
  return { code, stderr };
}

async function smallArchive(): Promise<Buffer> {
  return archiveOf(await datasetMembers('GPR1200', { samples: 3 }));
}

async function loopbackHub(): Promise<string> {
  const files = { 'MileBench_part1.tar.gz': await smallArchive() };
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

  test('stops at Ctrl-C, says so, and lets the next command go on', async () => {
    const cwd = await scratch();
    const whole = hubAnswer({ files: { 'MileBench_part1.tar.gz': await smallArchive() } });
    let interrupt = (): void => {};
    const hub = await serve((request, response, url) => {
      if (!url.pathname.includes('resolve')) return whole(request, response, url);
      // The user loses patience while the file does not come.
      interrupt();
    });
    const argv = ['data', 'fetch', '--tasks', 'GPR1200', '--endpoint'];
    const stopped = await interruptible([...argv, hub.origin], {
      cwd,
      whenInterruptible: (stop) => {
        interrupt = stop;
      },
    });
    expect(stopped.code).toBe(130);
    expect(stopped.stderr).toMatch(/^stopped; the same command continues$/m);
    const next = await lookm([...argv, await loopbackHub(), '--quiet'], { cwd });
    expect(next).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('does not share a directory with another fetch', async () => {
    const cwd = await scratch();
    const folder = path.join(cwd, 'mile/.fetch');
    await mkdir(folder, { recursive: true });
    const release = await lockDirectory(folder);
    const { code, stderr } = await lookm(['data', 'fetch', '--out', 'mile'], { cwd });
    await release();
    expect(code).toBe(2);
    expect(stderr).toMatch(/mile\/\.fetch: process \d+ is writing .*; wait for it, .* another --out\n$/);
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
