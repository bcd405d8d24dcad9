import path from 'node:path';
import { Command, Option } from 'commander';
import { promptTemplateNames } from '../backbone/prompt-template.js';
import { isRepositoryId } from '../config/backbone-preset.js';
import { suggestion } from '../config/suggestion.js';
import { dtypeName } from '../convert/dtype-name.js';
import { UserError } from '../core/errors.js';
import type { BackboneSource } from '../pull/backbone-files.js';
import type { BundleRequest } from '../pull/pull-backbone.js';
import { pulledFolder } from '../pull/pulled-bundles.js';
import type { ModelSource } from '../pull/repository-copy.js';
import { readPresets } from './backbone-presets.js';
import { cacheDirectory } from './cache-directory.js';
import { describePull } from './describe-pull.js';
import { addDtypeFlags, type DtypeFlags, readDtypeFlags } from './dtype-flags.js';
import { endpointHelp, withHub } from './hub-session.js';
import { openProgress } from './progress.js';
import type { Shell } from './shell.js';

const examples = `
Examples:
  $ lookm pull llava-1.5-7b --dtype int4             a preset, some 14 GB, into the cache
  $ lookm bench --backbone llava-1.5-7b              which bench finds by its name
  $ lookm pull llava-hf/llava-1.5-7b-hf --out mine   any repository of a supported family
  $ lookm list backbones                             presets, and what was pulled

The same command continues a download that was cut short and leaves alone what is there.
HF_TOKEN (a token) and HF_ENDPOINT (a mirror) of the environment are used.
`;

interface PullFlags extends DtypeFlags {
  readonly revision?: string | undefined;
  readonly vision?: string | undefined;
  readonly template?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly out?: string | undefined;
  readonly checkpointDir?: string | undefined;
  readonly keepCheckpoint: boolean;
  readonly convert: boolean;
  readonly force?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const mebibyte = 2 ** 20;

/** `owner/name` or `owner/name@revision`. */
function readSource(text: string, where: string): ModelSource {
  const [, repository = '', revision = 'main'] = /^([^@]*)(?:@(.+))?$/.exec(text) ?? [];
  if (isRepositoryId(repository)) return { repository, revision };
  const fix = 'write owner/name, or owner/name@revision';
  throw new UserError({ what: `"${text}" is no repository`, where, fix });
}

/** What a preset or the name of a repository means under these flags. */
async function resolveSource(
  name: string,
  flags: PullFlags,
  shell: Shell,
): Promise<BackboneSource & { readonly template: string | null }> {
  const presets = await readPresets(shell.packageRoot);
  const preset = presets.get(name);
  if (preset === undefined && !isRepositoryId(name)) {
    const fix = `${suggestion(name, [...presets.keys()])}give a preset of \`lookm list backbones\` or owner/name`;
    throw new UserError({ what: `"${name}" is no preset and no repository`, where: 'repository', fix });
  }
  return {
    repository: preset?.repository ?? name,
    revision: flags.revision ?? preset?.revision ?? 'main',
    vision: flags.vision === undefined ? (preset?.vision ?? null) : readSource(flags.vision, '--vision'),
    template: flags.template ?? preset?.template ?? null,
  };
}

/** The bundle that is asked for: in the cache, where its name finds it, or where `--out` says. */
function bundleRequest(
  name: string,
  template: string | null,
  flags: PullFlags,
  { cwd, env }: Shell,
): BundleRequest | null {
  if (!flags.convert) return null;
  const dtypes = readDtypeFlags(flags);
  const variant = dtypeName(dtypes);
  if (flags.out !== undefined) {
    const directory = path.resolve(cwd, flags.out);
    const replace = flags.force ?? false;
    return { directory, name: path.basename(directory), template, dtypes, replace };
  }
  const directory = path.join(pulledFolder(cacheDirectory(env, 'pulled'), name), variant);
  return { directory, name: `${name}:${variant}`, template, dtypes, replace: true };
}

async function pull(name: string, flags: PullFlags, shell: Shell): Promise<void> {
  const { endpoint, json = false, checkpointDir } = flags;
  if (!flags.convert && !flags.keepCheckpoint) {
    const what = 'leaves nothing together with --no-keep-checkpoint';
    throw new UserError({ what, where: '--no-convert', fix: 'leave out one of them' });
  }
  const { template, ...source } = await resolveSource(name, flags, shell);
  const bundle = bundleRequest(name, template, flags, shell);
  const checkpoints =
    checkpointDir === undefined
      ? cacheDirectory(shell.env, 'checkpoints')
      : path.resolve(shell.cwd, checkpointDir);
  const quiet = (flags.quiet ?? false) || json;
  const progress = openProgress(shell, { unit: 'MiB', quiet });
  // Conversion brings libraries that the other commands do not need.
  const { pullBackbone } = await import('../pull/pull-backbone.js');
  await withHub({ endpoint, progress, shell }, async (hub, signal) => {
    const summary = await pullBackbone({
      ...{ hub, signal, source, checkpoints, bundle, keepCheckpoint: flags.keepCheckpoint },
      onProgress: ({ doing, subject, doneBytes, totalBytes }) => {
        const [done, total] = [doneBytes, totalBytes].map((bytes) => Math.ceil(bytes / mebibyte));
        progress.update(done ?? 0, total ?? 0, `${doing} ${subject}`);
      },
    });
    progress.stop();
    const use = flags.out ?? name;
    if (json)
      shell.stdout.write(`${JSON.stringify({ name: use, endpoint: hub.endpoint, ...summary }, null, 2)}\n`);
    else if (!quiet) shell.stdout.write(describePull(summary, { use, template, paint: shell.stdout.paint }));
  });
}

/** `lookm pull`: a backbone from the Hugging Face hub. */
export function pullCommand(shell: Shell): Command {
  const command = new Command('pull')
    .description('download a backbone from the Hugging Face hub and convert it')
    .argument('<repository>', 'preset, or owner/name on the hub')
    .option('--revision <name>', 'branch, tag or commit (default: that of the preset, or main)')
    .option(
      '--vision <repository>',
      "vision tower, owner/name[@revision] (default: the preset's, or the config's)",
    );
  return addDtypeFlags(command)
    .addOption(
      new Option('--template <name>', "prompt template (default: the preset's, or the family's)").choices(
        promptTemplateNames,
      ),
    )
    .option('--out <bundle>', 'directory of the bundle (default: in the cache)')
    .option('--force', 'replace another bundle in --out')
    .option('--checkpoint-dir <dir>', 'where checkpoints are downloaded to (default: in the cache)')
    .option('--no-keep-checkpoint', 'remove the downloaded weights once they are converted')
    .option('--no-convert', 'download only')
    .option('--endpoint <url>', endpointHelp)
    .option('--json', 'print a summary for programs')
    .option('--quiet', 'print errors only')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', examples)
    .action((name: string, flags: PullFlags) => pull(name, flags, shell));
}
