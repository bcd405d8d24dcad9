import { stat } from 'node:fs/promises';
import path from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { BundleManifest } from '../backbone/bundle-manifest.js';
import { findPromptTemplate, promptTemplateNames } from '../backbone/prompt-template.js';
import { mostPositions } from '../checkpoint/llama-config.js';
import { type RandomModelName, randomModelNames } from '../checkpoint/random/random-model-names.js';
import type { BundleOptions } from '../convert/write-bundle.js';
import { UserError } from '../core/errors.js';
import { addDtypeFlags, type DtypeFlags, readDtypeFlags } from './dtype-flags.js';
import { openProgress } from './progress.js';
import type { Shell } from './shell.js';

const examples = `
Examples:
  $ lookm convert models/llava-v1.5-7b --vision models/clip-vit-large-patch14-336 --out bundles/llava-7b
  $ lookm convert models/llava-v1.5-7b --dtype int4 --out bundles/llava-7b-int4
  $ lookm convert --random-weights llava-1.5-7b --dtype int4 --out bundles/llava-7b-random
  $ lookm bench --backbone bundles/llava-7b --dataset path/to/MileBench --limit 10 --out results/llava-7b

\`lookm bench\` converts a checkpoint by itself, into a cache; convert says where the bundle goes.
`;

interface ConvertFlags extends DtypeFlags {
  readonly out: string;
  readonly randomWeights?: RandomModelName | undefined;
  readonly layers?: number | undefined;
  readonly positions?: number | undefined;
  readonly vision?: string | undefined;
  readonly template?: string | undefined;
  readonly force?: boolean | undefined;
  readonly quiet?: boolean | undefined;
}

const mebibyte = 2 ** 20;

/** The weights of two random bundles of one model are the same, so that they can be compared. */
const randomSeed = 0;

async function convert(checkpoint: string | undefined, flags: ConvertFlags, shell: Shell): Promise<void> {
  const { out, template, force = false, quiet = false } = flags;
  const dtypes = readDtypeFlags(flags);
  const target = path.resolve(shell.cwd, out);
  const there = await stat(target).catch(() => null);
  if (there !== null && !force) {
    throw new UserError({ what: 'already exists', where: out, fix: 'give another --out or --force' });
  }
  const progress = openProgress(shell, { unit: 'MiB', quiet });
  const options: BundleOptions = {
    out: target,
    ...dtypes,
    prompt: template === undefined ? undefined : findPromptTemplate(template),
    positions: flags.positions,
    onProgress: ({ doneBytes, totalBytes }) => {
      progress.update(Math.ceil(doneBytes / mebibyte), Math.ceil(totalBytes / mebibyte), 'converting');
    },
  };
  const manifest = await writeFrom(checkpoint, { flags, options, shell }).finally(() => progress.stop());
  if (quiet) return;
  const bytes = manifest.files.reduce((sum, file) => sum + file.bytes, 0);
  const { paint, write } = shell.stdout;
  const size = `${(bytes / mebibyte).toFixed(1)} MiB, ${manifest.text.layers} layers, ${describeFormats(manifest)}`;
  write(`${paint.green('Done')}: ${out} (${size}, prompt ${manifest.prompt.name}).\n`);
  if (manifest.source.kind === 'random')
    write(`Weights are random: no accuracy is reported of this bundle.\n`);
  else write(describeErrors(manifest));
  write(`Next: lookm bench --backbone ${out}\n`);
}

/** Writes the bundle from the checkpoint or from nothing, whichever was asked for. */
async function writeFrom(
  checkpoint: string | undefined,
  { flags, options, shell }: { flags: ConvertFlags; options: BundleOptions; shell: Shell },
): Promise<BundleManifest> {
  const { randomWeights, layers, vision } = flags;
  // Conversion brings libraries that the other commands do not need.
  if (randomWeights !== undefined) {
    if (checkpoint !== undefined || vision !== undefined) {
      const where = checkpoint === undefined ? '--vision' : checkpoint;
      throw new UserError({ where, what: 'is not read with --random-weights', fix: 'leave one of them out' });
    }
    const { convertRandom } = await import('../convert/convert-random.js');
    const { randomModels } = await import('../checkpoint/random/random-models.js');
    const sizes = randomModels[randomWeights];
    return convertRandom({ ...options, model: { sizes, seed: randomSeed, layers } });
  }
  if (layers !== undefined) {
    throw new UserError({
      where: '--layers',
      what: 'cuts random models only',
      fix: 'add --random-weights <model>',
    });
  }
  if (checkpoint === undefined) {
    throw new UserError({
      what: 'nothing to convert was named',
      fix: 'give the directory of a checkpoint, or --random-weights <model>',
    });
  }
  const { convertCheckpoint } = await import('../convert/convert-checkpoint.js');
  return convertCheckpoint({
    ...options,
    checkpoint: path.resolve(shell.cwd, checkpoint),
    vision: vision === undefined ? undefined : path.resolve(shell.cwd, vision),
    name: path.basename(options.out),
  });
}

function layerCount(text: string): number {
  if (/^[1-9]\d{0,3}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number from 1.');
}

function positionCount(text: string): number {
  const positions = /^[1-9]\d{0,6}$/.test(text) ? Number(text) : Number.POSITIVE_INFINITY;
  if (positions <= mostPositions) return positions;
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${mostPositions}.`);
}

/** Element types of the parts, such as `int4 in blocks of 32, output matrix int8, vision int8`. */
function describeFormats({ weights: { layers, head, vision } }: BundleManifest): string {
  const text = 'blockSize' in layers ? `${layers.dtype} in blocks of ${layers.blockSize}` : layers.dtype;
  const others = [
    ...(head.dtype === layers.dtype ? [] : [`output matrix ${head.dtype}`]),
    ...(vision.dtype === layers.dtype ? [] : [`vision ${vision.dtype}`]),
  ];
  return [text, ...others].join(', ');
}

/** A line on what the element types cost in accuracy; nothing where they cost nothing. */
function describeErrors({ matrices }: BundleManifest): string {
  const worst = matrices.reduce((a, b) => (b.worst.error > a.worst.error ? b : a)).worst;
  if (worst.error === 0) return '';
  const count = matrices.reduce((sum, part) => sum + part.count, 0);
  const mean = matrices.reduce((sum, part) => sum + part.count * part.meanError, 0) / count;
  const percent = (part: number): string => `${(100 * part).toPrecision(2)} %`;
  return `Weights lost ${percent(mean)} on average, ${percent(worst.error)} at worst (${worst.tensor}).\n`;
}

/** `lookm convert`: a checkpoint becomes a bundle. */
export function convertCommand(shell: Shell): Command {
  const command = new Command('convert')
    .description('turn a LLaVA, MobileVLM_V2 or InternVL-Chat checkpoint into a bundle')
    .argument('[checkpoint]', 'directory with config.json and weights, safetensors or torch .bin')
    .requiredOption('--out <bundle>', 'directory of the bundle')
    .option('--vision <dir>', 'directory of the vision tower, where it is a repository of its own');
  return addDtypeFlags(command)
    .addOption(
      new Option(
        '--template <name>',
        "prompt of a checkpoint without prompt.json (default: LOOK-M's)",
      ).choices(promptTemplateNames),
    )
    .addOption(
      new Option(
        '--random-weights <model>',
        'in place of a checkpoint: random weights at the sizes of a published model, to measure what it costs',
      ).choices(randomModelNames),
    )
    .option(
      '--positions <n>',
      "tokens that prompt and answer may take together (default: the checkpoint's)",
      positionCount,
    )
    .option('--layers <n>', 'of a random model: at most so many layers, decoder and tower each', layerCount)
    .option('--force', 'replace a bundle that is there')
    .option('--quiet', 'print errors only')
    .option('--debug', 'print the stack of errors')
    .addHelpText('after', examples)
    .action((checkpoint: string | undefined, flags: ConvertFlags) => convert(checkpoint, flags, shell));
}
