import { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { packageVersion, runProgram } from '../../src/cli/program.js';
import { createOutput } from '../../src/cli/shell.js';
import { BugError, UserError } from '../../src/core/errors.js';
import { type Called, lookm, packageRoot } from './fake-shell.js';

/** Runs a program whose one command throws. */
async function throwing(error: unknown, argv: readonly string[] = [], colours = false): Promise<Called> {
  const text = { stdout: '', stderr: '' };
  const output = (name: keyof typeof text) =>
    createOutput((added) => {
      text[name] += added;
    }, colours);
  const code = await runProgram({
    commands: [
      () =>
        new Command('fail').option('--debug').action(() => {
          throw error;
        }),
    ],
    argv: ['fail', ...argv],
    openShell: (setExitCode) => ({
      ...{ stdout: output('stdout'), stderr: output('stderr'), terminal: null, env: {} },
      ...{ cwd: '/', packageRoot, setExitCode, onInterrupt: () => () => {} },
    }),
  });
  return { code, ...text };
}

describe('help', () => {
  test.each([[], ['bench'], ['list'], ['convert'], ['doctor']])(
    'of lookm %s shows examples',
    async (...name) => {
      const { code, stdout, stderr } = await lookm([...name, '--help']);
      expect(code).toBe(0);
      expect(stdout).toMatch(new RegExp(`^Usage: lookm ${name[0] ?? ''}`));
      expect(stdout).toMatch(/\nExamples:\n {2}\$ lookm /);
      expect(stderr).toBe('');
    },
  );

  test('without a command goes to stderr as a mistake', async () => {
    const { code, stdout, stderr } = await lookm([]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain('Usage: lookm');
  });

  test('has the version beside it', async () => {
    expect(await lookm(['--version'])).toEqual({
      code: 0,
      stdout: `${await packageVersion(packageRoot)}\n`,
      stderr: '',
    });
  });
});

describe('a mistake on the command line', () => {
  test.each([
    [['bnech'], "error: unknown command 'bnech' (Did you mean bench?)\n"],
    [['bench', '--limt', '3'], "error: unknown option '--limt' (Did you mean --limit?)\n"],
    [['bench', '--limit'], "error: option '--limit <n>' argument missing\n"],
    [['bench', 'more'], "error: too many arguments for 'bench'. Expected 0 arguments but got 1.\n"],
    [['convert', 'x'], "error: required option '--out <bundle>' not specified\n"],
  ])('%j is one line and exit code 2', async (argv, stderr) => {
    expect(await lookm(argv)).toEqual({ code: 2, stdout: '', stderr });
  });
});

describe('an error', () => {
  test('of the user is one line and exit code 2', async () => {
    const error = new UserError({ what: 'is missing', where: 'x.json', fix: 'bring it\nback' });
    expect(await throwing(error)).toEqual({
      code: 2,
      stdout: '',
      stderr: 'error: x.json: is missing; bring it back\n',
    });
  });

  test('of ours asks for a report and exits with 70', async () => {
    expect(await throwing(new BugError({ what: 'lost a row', fix: 'please report it' }))).toEqual({
      code: 70,
      stdout: '',
      stderr: 'error: lost a row; please report it; --debug shows the stack\n',
    });
    expect(await throwing(new TypeError('x is not a function'))).toMatchObject({
      code: 70,
      stderr:
        'error: x is not a function; this is a bug in lookm, please report it; --debug shows the stack\n',
    });
    expect(await throwing('thrown text')).toMatchObject({ code: 70 });
  });

  test('of the disk is for the user to mend', async () => {
    const full = Object.assign(new Error("ENOSPC: no space left on device, write 'x'"), { code: 'ENOSPC' });
    expect(await throwing(full)).toMatchObject({ code: 2, stderr: expect.stringContaining('free space') });
  });

  test('shows its stack only with --debug', async () => {
    const error = new UserError({ what: 'is missing' });
    expect((await throwing(error)).stderr).not.toContain('    at ');
    expect((await throwing(error, ['--debug'])).stderr).toContain('    at ');
  });

  test('is red where colours are on', async () => {
    const { stderr } = await throwing(new UserError({ what: 'is missing' }), [], true);
    expect(stderr).toBe('\u001b[31merror: is missing\u001b[39m\n');
  });
});
