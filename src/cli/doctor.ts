import path from 'node:path';
import { Command, Option } from 'commander';
import { describeMachine } from '../bench/machine.js';
import type { Machine } from '../bench/run-manifest.js';
import { type Device, deviceSchema } from '../config/protocols.js';
import { messageOf } from '../core/errors.js';
import { embeddedAssets, hashDirectory } from './embedded-assets.js';
import type { Shell } from './shell.js';

const failedCheck = 1;

/** Oldest Node.js that runs lookm, as `engines` in package.json says. */
const oldestNode = { major: 20, minor: 11 } as const;

const examples = `
Examples:
  $ lookm doctor
  $ lookm doctor --json
  $ lookm doctor --device webgpu     whether a device computes what it should
`;

/** One thing looked at. */
export interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
}

function checkNode(version: string): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > oldestNode.major || (major === oldestNode.major && minor >= oldestNode.minor);
  return {
    name: 'Node.js',
    ok,
    detail: ok ? version : `${version}; ${oldestNode.major}.${oldestNode.minor} or newer is needed`,
  };
}

async function checkAsset(packageRoot: string, name: string, expected: string): Promise<Check> {
  try {
    const ok = (await hashDirectory(path.join(packageRoot, name))) === expected;
    return { name, ok, detail: ok ? 'intact' : 'files were changed; install lookm again' };
  } catch (error) {
    return { name, ok: false, detail: `missing (${messageOf(error)}); install lookm again` };
  }
}

/** What `/proc/cpuinfo` calls the vector units that matter for speed; empty where there is no such file. */
const vectorUnits = ['avx2', 'avx512f', 'avx512_vnni', 'avx_vnni', 'amx_int8', 'asimd', 'sve'] as const;

/** Vector units of the CPU among those that matter, from the text of `/proc/cpuinfo`. */
export function vectorUnitsOf(cpuinfo: string): string[] {
  const line = /^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? '';
  const flags = new Set(line.split(/\s+/));
  return vectorUnits.filter((unit) => flags.has(unit));
}

/** Says what the machine is; there is nothing to fail. */
function describe({ cpu, cores, memoryBytes, platform }: Machine, units: readonly string[]): Check {
  const features = units.length === 0 ? '' : ` (${units.join(', ')})`;
  const memory = `${(memoryBytes / 2 ** 30).toFixed(1)} GiB`;
  return { name: 'machine', ok: true, detail: `${cpu}${features}, ${cores} cores, ${memory}, ${platform}` };
}

/** What doctor asks of the rest of the program. */
export interface DoctorServices {
  /** Loads ONNX Runtime and tests its operators on a device. */
  selfTest(device: Device): Promise<readonly Check[]>;
  readCpuInfo(): Promise<string>;
}

async function doctor(
  { json, device }: { readonly json: boolean; readonly device: Device },
  shell: Shell,
  services: DoctorServices,
): Promise<void> {
  const checks: Check[] = [
    checkNode(process.versions.node),
    describe(describeMachine(), vectorUnitsOf(await services.readCpuInfo())),
    ...(await services.selfTest(device)),
  ];
  for (const [name, hash] of Object.entries(embeddedAssets)) {
    checks.push(await checkAsset(shell.packageRoot, name, hash));
  }
  const failed = checks.filter(({ ok }) => !ok).length;
  const { write, paint } = shell.stdout;
  if (json) {
    write(`${JSON.stringify({ ok: failed === 0, checks }, null, 2)}\n`);
  } else {
    for (const { name, ok, detail } of checks) {
      write(`${ok ? paint.green('ok  ') : paint.red('FAIL')}  ${name}: ${paint.dim(detail)}\n`);
    }
    const next = failed === 0 ? 'Next: lookm bench' : `${failed} of ${checks.length} checks failed`;
    write(`\n${next}\n`);
  }
  if (failed > 0) shell.setExitCode(failedCheck);
}

/** `lookm doctor`: whether this machine and this installation can run the rest. */
export function doctorCommand(load: () => Promise<DoctorServices>): (shell: Shell) => Command {
  return (shell) =>
    new Command('doctor')
      .description('check this machine and this installation')
      .addOption(
        new Option('--device <device>', 'test operators there').choices(deviceSchema.options).default('cpu'),
      )
      .option('--json', 'print JSON')
      .option('--debug', 'print the stack of errors')
      .addHelpText('after', examples)
      .action(async ({ json = false, device }: { json?: boolean; device: Device }) =>
        doctor({ json, device }, shell, await load()),
      );
}
