import { Command } from 'commander';
import { renderConsole } from '../report/render-console.js';
import type { TableRow } from '../report/table.js';
import type { ModeTally } from '../verify/tally.js';
import type { Shell } from './shell.js';

/** Exit code when a vector disagrees. */
const mismatch = 1;

const examples = `
Examples:
  $ lookm verify test/fixtures          every golden vector of the checkout
  $ lookm verify vectors/kv --json      one set, for programs
`;

const columns = [
  { header: 'vectors', kind: 'text' },
  { header: 'mode', kind: 'text' },
  { header: 'result', kind: 'text' },
  { header: 'cases', kind: 'number' },
  { header: 'identical selections', kind: 'number' },
  { header: 'worst error', kind: 'text' },
  { header: 'identical tokens', kind: 'text' },
] as const;

function rowOf(tally: ModeTally): TableRow {
  const { identicalSelections, worstError, identicalTokens: tokens, status } = tally;
  const error = worstError === null ? null : worstError.toExponential(1);
  const equal = tokens === null ? null : `${tokens.equal} of ${tokens.of}`;
  const values = [tally.directory, tally.mode, status, tally.cases, identicalSelections, error, equal];
  return { values, flagged: status === 'failed' };
}

/** Every mismatch, and once each why something was skipped. */
function remarks(tallies: readonly ModeTally[]): string[] {
  const failed = tallies
    .filter(({ status }) => status === 'failed')
    .flatMap(({ directory, mode, notes }) => notes.map((note) => `failed: ${directory}, ${mode}: ${note}`));
  const skipped = new Map<string, string[]>();
  for (const { status, mode, notes } of tallies) {
    if (status !== 'skipped') continue;
    const note = notes.join(', ');
    skipped.set(note, [...(skipped.get(note) ?? []), mode]);
  }
  return [...failed, ...[...skipped].map(([note, modes]) => `skipped: ${modes.join(', ')}: ${note}`)];
}

function describe(tallies: readonly ModeTally[], { stdout }: Shell): void {
  const title = 'Golden vectors of the official code';
  const rows = tallies.map(rowOf);
  stdout.write(
    renderConsole({ name: 'verify', title, notes: remarks(tallies), legend: [], columns, rows }, stdout),
  );
  const count = (wanted: ModeTally['status']): number =>
    tallies.filter(({ status }) => status === wanted).length;
  stdout.write(`\n${count('passed')} modes passed, ${count('failed')} failed, ${count('skipped')} skipped\n`);
}

async function verify(directories: readonly string[], json: boolean, shell: Shell): Promise<void> {
  const { verifyDirectories } = await import('../verify/verify-directories.js');
  const tallies = await verifyDirectories(directories);
  const ok = tallies.every(({ status }) => status !== 'failed');
  if (json) shell.stdout.write(`${JSON.stringify({ ok, tallies }, null, 2)}\n`);
  else describe(tallies, shell);
  if (!ok) shell.setExitCode(mismatch);
}

/** `lookm verify`: golden vectors against this machine. */
export function verifyCommand(shell: Shell): Command {
  return new Command('verify')
    .description('run golden vectors of the official code on this machine')
    .argument('<dir...>', 'directories that hold vectors, at any depth down to four')
    .option('--json', 'print JSON')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', examples)
    .action((directories: string[], { json = false }: { json?: boolean }) =>
      verify(directories, json, shell),
    );
}
