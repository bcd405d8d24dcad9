import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { Command, CommanderError } from 'commander';
import { z } from 'zod';
import { BugError, messageOf, UserError } from '../core/errors.js';
import type { Output, Shell } from './shell.js';

/** Builds one command of the program around a shell. */
export type CommandBuilder = (shell: Shell) => Command;

export const exitCodes = Object.freeze({ ok: 0, user: 2, bug: 70, interrupted: 130 });

const packageSchema = z.object({ version: z.string() });

/** Version of this package. */
export async function packageVersion(packageRoot: string): Promise<string> {
  return packageSchema.parse(JSON.parse(await readFile(path.join(packageRoot, 'package.json'), 'utf8')))
    .version;
}

const examples = `
Examples:
  $ lookm bench                 full cache, H2O and LOOK-M on the embedded backbone and tasks
  $ lookm bench --dry-run       what that would run
  $ lookm list methods          what can be compared
  $ lookm data fetch            download MileBench
  $ lookm pull llava-1.5-7b     download and convert a published backbone
  $ lookm score results/try     score a run again, or the official predictions
  $ lookm doctor                whether this machine can run it
`;

/** The whole program as a function of its commands. */
export function buildProgram({
  commands,
  shell,
  version,
}: {
  readonly commands: readonly CommandBuilder[];
  readonly shell: Shell;
  readonly version: string;
}): Command {
  const program = new Command('lookm')
    .description('KV-cache compression for multimodal language models, measured on MileBench.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .addHelpText('after', examples);
  for (const build of commands) program.addCommand(build(shell));
  for (const command of withSubcommands(program)) {
    command.exitOverride().configureOutput({
      writeOut: shell.stdout.write,
      writeErr: shell.stderr.write,
      // Commander puts its suggestion on a second line.
      outputError: (text) =>
        printError(
          shell.stderr,
          text
            .trim()
            .replace(/^error: /, '')
            .replace(/\s+/g, ' '),
        ),
    });
  }
  return program;
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

function printError({ write, paint }: Output, message: string): void {
  write(`${paint.red(`error: ${message}`)}\n`);
}

/** Refusals of the operating system that the user can mend; their messages name the file. */
const systemRefusals = ['EACCES', 'EDQUOT', 'EISDIR', 'EMFILE', 'ENOSPC', 'ENOTDIR', 'EPERM', 'EROFS'];

function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && systemRefusals.some((code) => error.code === code);
}

/** Prints what went wrong as one line, the stack only when asked for, and says which exit code it is. */
function reportError(error: unknown, { stderr }: Shell, debug: boolean): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.user;
  const message = messageOf(error).replace(/\s*\n\s*/g, ' ');
  const mendable = error instanceof UserError || isRefusal(error);
  if (mendable) {
    printError(stderr, error instanceof UserError ? message : `${message}; check permissions and free space`);
  } else {
    const known =
      error instanceof BugError ? message : `${message}; this is a bug in lookm, please report it`;
    printError(stderr, debug ? known : `${known}; --debug shows the stack`);
  }
  if (debug && error instanceof Error && error.stack !== undefined) stderr.write(`${error.stack}\n`);
  return mendable ? exitCodes.user : exitCodes.bug;
}

/**
 * Runs the program on the arguments after its name and returns the exit code: 0, 2 (the user can mend it; also a run
 * with failed samples), 70 (a bug) or 130 (interrupted).
 */
export async function runProgram({
  commands,
  argv,
  openShell,
}: {
  readonly commands: readonly CommandBuilder[];
  readonly argv: readonly string[];
  readonly openShell: (setExitCode: (code: number) => void) => Shell;
}): Promise<number> {
  let exitCode: number = exitCodes.ok;
  const shell = openShell((code) => {
    exitCode = code;
  });
  try {
    const version = await packageVersion(shell.packageRoot);
    await buildProgram({ commands, shell, version }).parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    return reportError(error, shell, argv.includes('--debug'));
  }
}
