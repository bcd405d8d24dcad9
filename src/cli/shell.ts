import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pico from 'picocolors';

type Paint = ReturnType<typeof pico.createColors>;

/** A stream of text, and whether it can show colours. */
export interface Output {
  write(text: string): void;
  readonly paint: Paint;
  readonly colours: boolean;
}

/** What a command may know of the world outside: tests hand in their own. */
export interface Shell {
  readonly stdout: Output;
  readonly stderr: Output;
  /** The terminal to draw progress on; `null` = plain lines on stderr. */
  readonly terminal: NodeJS.WriteStream | null;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Relative paths of the user start here. */
  readonly cwd: string;
  /** Directory of this package: `configs/`, `models/` and `datasets/` are in it. */
  readonly packageRoot: string;
  /** Sets the exit code of a command that ends without an error. */
  setExitCode(code: number): void;
  /** Calls `stop` at the first Ctrl-C; the second ends the process. Returns what takes the handler away. */
  onInterrupt(stop: () => void): () => void;
}

/** Text output that paints only when asked to. */
export function createOutput(write: (text: string) => void, colours: boolean): Output {
  return { write, colours, paint: pico.createColors(colours) };
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '';
}

function processOutput(stream: NodeJS.WriteStream): Output {
  const { env } = process;
  const colours = !isSet(env['NO_COLOR']) && (isSet(env['FORCE_COLOR']) || stream.isTTY === true);
  return createOutput((text) => stream.write(text), colours);
}

/** The shell of this process. `setExitCode` receives what the command decides. */
export function processShell(setExitCode: (code: number) => void): Shell {
  const interactive = process.stderr.isTTY === true && !isSet(process.env['CI']);
  return {
    stdout: processOutput(process.stdout),
    stderr: processOutput(process.stderr),
    terminal: interactive ? process.stderr : null,
    env: process.env,
    cwd: process.cwd(),
    packageRoot: path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..'),
    setExitCode,
    onInterrupt: (stop) => {
      process.once('SIGINT', stop);
      return () => process.off('SIGINT', stop);
    },
  };
}
