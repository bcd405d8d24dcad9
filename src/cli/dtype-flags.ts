import { type Command, Option } from 'commander';
import {
  type DtypeOptions,
  type TextDtype,
  textDtypes,
  type VisionDtype,
  visionDtypes,
} from '../convert/weight-formats.js';
import { UserError } from '../core/errors.js';
import { blockSizes } from '../onnx/stored-matrix.js';

/** Flags that say in which element types weights are stored. */
export interface DtypeFlags {
  readonly dtype: TextDtype;
  readonly visionDtype?: VisionDtype | undefined;
  readonly blockSize?: string | undefined;
}

/** Adds the flags to a command. */
export function addDtypeFlags(command: Command): Command {
  return command
    .addOption(
      new Option('--dtype <type>', 'element type of the language model').choices(textDtypes).default('fp32'),
    )
    .addOption(
      new Option(
        '--vision-dtype <type>',
        'element type of tower and projector (default: as --dtype, int8 beside int4)',
      ).choices(visionDtypes),
    )
    .addOption(
      new Option('--block-size <n>', 'int4 weights that share a scale (default: 32)').choices(
        blockSizes.map(String),
      ),
    );
}

/** What the flags mean. Throws a `UserError` for blocks where nothing is stored in blocks. */
export function readDtypeFlags({ dtype, visionDtype, blockSize: blocks }: DtypeFlags): DtypeOptions {
  const blockSize = blockSizes.find((size) => String(size) === blocks);
  if (blockSize !== undefined && dtype !== 'int4' && visionDtype !== 'int4') {
    const what = 'has no blocks without int4';
    throw new UserError({ what, where: '--block-size', fix: 'add --dtype int4' });
  }
  return { dtype, visionDtype, blockSize };
}

/** The flags that mean these element types, each after a space. */
export function dtypeCommandLine({ dtype, visionDtype, blockSize }: DtypeOptions): string {
  const vision = visionDtype === undefined ? '' : ` --vision-dtype ${visionDtype}`;
  return ` --dtype ${dtype}${vision}${blockSize === undefined ? '' : ` --block-size ${blockSize}`}`;
}
