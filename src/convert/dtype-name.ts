import { blockSizes } from '../onnx/stored-matrix.js';
import {
  type DtypeOptions,
  textDtypes,
  visionDtypes,
  type WeightFormats,
  weightFormats,
} from './weight-formats.js';

const nameForm = /^([a-z]+\d+)(?:-vision-([a-z]+\d+))?(?:-b(\d+))?$/;

/** Weights that share a scale in int4 matrices, if there are any. */
function blockSizeOf({ layers, vision }: WeightFormats): number | null {
  const int4 = [layers, vision].find(({ dtype }) => dtype === 'int4');
  return int4 !== undefined && 'blockSize' in int4 ? int4.blockSize : null;
}

/**
 * Name of the element types of a bundle: `fp32`, `int4`, `int4-b128`, `int4-vision-fp16`, `int4-vision-int4-b64`. What
 * is as usual is left out, so equal formats have equal names.
 */
export function formatsName(formats: WeightFormats): string {
  const { layers, vision } = formats;
  const dtype = textDtypes.find((known) => known === layers.dtype);
  const usualVision = dtype === undefined ? null : weightFormats({ dtype }).vision.dtype;
  const visionPart = vision.dtype === usualVision ? '' : `-vision-${vision.dtype}`;
  const blockSize = blockSizeOf(formats);
  const isUsual = blockSize === null || blockSize === blockSizeOf(weightFormats({ dtype: 'int4' }));
  return `${layers.dtype}${visionPart}${isUsual ? '' : `-b${blockSize}`}`;
}

/** Name of the element types that options ask for. */
export function dtypeName(options: DtypeOptions): string {
  return formatsName(weightFormats(options));
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
