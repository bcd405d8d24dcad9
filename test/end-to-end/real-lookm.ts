import { type ChildProcess, execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { repositoryPath } from '../support/fixture-path.js';

/** Where a command runs, and the cache it uses. */
export interface Place {
  readonly cwd: string;
  readonly cache: string;
}

/** An empty working directory and an empty cache, gone after the tests of the file. Call it in `beforeAll`. */
export async function openPlace(): Promise<Place> {
  const root = await mkdtemp(path.join(tmpdir(), 'lookm-end-to-end-'));
  afterAll(() => rm(root, { recursive: true, force: true }));
  return { cwd: await newDirectory(root, 'work'), cache: path.join(root, 'cache') };
}

/** An empty directory in another. */
export async function newDirectory(parent: string, name: string): Promise<string> {
  const directory = path.join(parent, name);
  await mkdir(directory);
  return directory;
}

export interface Called {
  /** `null` when a signal ended the process. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** More than the tables of any run. */
const mostOutputBytes = 16 * 2 ** 20;

/** Starts the built program as a user would, with plain output and nothing else of this process's environment. */
export function startLookm(
  argv: readonly string[],
  { cwd, cache }: Place,
): { readonly child: ChildProcess; readonly ended: Promise<Called> } {
  const env = { PATH: process.env['PATH'], LOOKM_CACHE: cache, CI: '1', NO_COLOR: '1' };
  const { promise: ended, resolve } = withResolver<Called>();
  const child = execFile(
    process.execPath,
    [repositoryPath('bin/lookm.js'), ...argv],
    { cwd, env, maxBuffer: mostOutputBytes },
    (_error, stdout, stderr) => resolve({ code: child.exitCode, stdout, stderr }),
  );
  return { child, ended };
}

function withResolver<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

export function lookm(argv: readonly string[], place: Place): Promise<Called> {
  return startLookm(argv, place).ended;
}

/** Lines of stderr besides plain progress. */
export function problemLines({ stderr }: Called): string[] {
  return stderr.split('\n').filter((line) => line !== '' && !/^\d+\/\d+ (samples|MiB), /.test(line));
}
