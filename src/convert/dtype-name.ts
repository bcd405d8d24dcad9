import { blockSizes } from '../onnx/stored-matrix.js';
import { type DtypeOptions, textDtypes, visionDtypes, weightFormats } from './weight-formats.js';

const nameForm = /^([a-z]+\d+)(?:-vision-([a-z]+\d+))?(?:-b(\d+))?$/;

/** Weights that share a scale in int4 matrices, if there are any. */
function blockSizeOf(options: DtypeOptions): number | null {
  const int4 = Object.values(weightFormats(options)).find(({ dtype }) => dtype === 'int4');
  return int4 !== undefined && 'blockSize' in int4 ? int4.blockSize : null;
}

/**
 * Name of the element types of a bundle: `fp32`, `int4`, `int4-b128`, `int4-vision-fp16`, `int4-vision-int4-b64`. What
 * is as usual is left out, so equal formats have equal names.
 */
export function dtypeName(options: DtypeOptions): string {
  const { dtype, visionDtype } = options;
  const usualVision = weightFormats({ dtype }).vision.dtype;
  const vision = visionDtype === undefined || visionDtype === usualVision ? '' : `-vision-${visionDtype}`;
  const blockSize = blockSizeOf(options);
  const usual = blockSizeOf({ ...options, blockSize: undefined });
  return `${dtype}${vision}${blockSize === usual ? '' : `-b${blockSize}`}`;
}

/** The element types of a name that `dtypeName` may have given; `null` for any other text. */
export function parseDtypeName(name: string): DtypeOptions | null {
  const [, text, image, blocks] = nameForm.exec(name) ?? [];
  const options = {
    dtype: textDtypes.find((known) => known === text),
    visionDtype: visionDtypes.find((known) => known === image),
    blockSize: blockSizes.find((size) => String(size) === blocks),
  };
  const { dtype, ...others } = options;
  return dtype !== undefined && dtypeName({ dtype, ...others }) === name ? { dtype, ...others } : null;
}
