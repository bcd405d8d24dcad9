import { benchCommand } from './bench.js';
import { convertCommand } from './convert.js';
import { dataCommand } from './data.js';
import { doctorCommand } from './doctor.js';
import { doctorServices } from './doctor-services.js';
import { listCommand } from './list.js';
import { type CommandBuilder, runProgram } from './program.js';
import { pullCommand } from './pull.js';
import { scoreCommand } from './score.js';
import { processShell } from './shell.js';
import { verifyCommand } from './verify.js';

/** The commands of `lookm` in the order its help shows them. The engine loads when a command needs it. */
const commands: readonly CommandBuilder[] = Object.freeze([
  benchCommand(async (shell) => (await import('./bench-services.js')).createBenchServices(shell)),
  scoreCommand,
  dataCommand,
  listCommand,
  pullCommand,
  convertCommand,
  doctorCommand(async () => doctorServices),
  verifyCommand,
]);

/** Runs `lookm` on the arguments after its name and returns the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  process.stdout.on('error', leaveQuietly);
  return runProgram({ commands, argv, openShell: processShell });
}

/** The reader of a pipe has gone (`lookm list tasks | head -1`). */
function leaveQuietly(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') process.exit();
  throw error;
}
