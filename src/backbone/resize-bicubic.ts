import { invariant } from '../core/errors.js';
import { bytesOf } from '../core/tensor.js';
import type { RgbImage, RgbRows } from './rgb-image.js';

/** A rectangle of the resized image, in pixels. */
export interface Window {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface ResizeOptions {
  /** Size of the whole resized image. */
  readonly width: number;
  readonly height: number;
  /** The part of the resized image that is computed; everything by default. Each pixel depends on its own position only. */
  readonly window?: Window;
}

/** For each output position the first source position and the weights, in units of 2^-22. */
interface Weights {
  /** [outputs] first source position. */
  readonly first: Int32Array;
  /** [outputs] number of source positions. */
  readonly count: Int32Array;
  /** [outputs, stride] fixed-point weights, unused places zero. */
  readonly fixed: Int32Array;
  readonly stride: number;
}

/** Pillow keeps 32 bits: 8 for the sample, 2 of headroom for negative lobes, 22 for the fraction. */
const precisionBits = 22;
const half = 1 << (precisionBits - 1);
const bicubicSupport = 2;
const bicubicA = -0.5;

/**
 * Bicubic resize with antialiasing, bit for bit as Pillow's `Image.resize(..., BICUBIC)` on RGB.
 *
 * `source` [height, width, 3] becomes [window height, window width, 3]. A horizontal pass is rounded to 8 bits and
 * followed by a vertical one; a pass that would keep the size is left out (Pillow: Resample.c).
 */
export function resizeBicubic(source: RgbRows, options: ResizeOptions): RgbImage {
  const { width, height } = options;
  const window = options.window ?? { left: 0, top: 0, width, height };
  invariant(
    window.left >= 0 &&
      window.top >= 0 &&
      window.width > 0 &&
      window.height > 0 &&
      window.left + window.width <= width &&
      window.top + window.height <= height,
    'the window of a resize must be a part of the resized image',
  );
  if (height === source.height) {
    const rows = { from: window.top, to: window.top + window.height };
    return { width: window.width, height: window.height, data: narrowed(source, rows, { width, window }) };
  }
  const weights = bicubicWeights(source.height, height, window.top, window.height);
  const last = window.height - 1;
  const rows = { from: weights.first[0]!, to: weights.first[last]! + weights.count[last]! };
  const strip = narrowed(source, rows, { width, window });
  const data = resampleRows(strip, 3 * window.width, weights, rows.from);
  return { width: window.width, height: window.height, data };
}

/** Horizontal pass over the needed rows -> [rows, window width, 3]. */
function narrowed(source: RgbRows, rows: Range, target: { width: number; window: Window }): Uint8Array {
  const { width, window } = target;
  if (width === source.width) {
    return copyColumns(source, { from: window.left, to: window.left + window.width }, rows);
  }
  return resampleColumns(source, bicubicWeights(source.width, width, window.left, window.width), rows);
}

function bicubic(position: number): number {
  const x = Math.abs(position);
  if (x < 1) return ((bicubicA + 2) * x - (bicubicA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * bicubicA;
  return 0;
}

/** Weights of outputs `from` .. `from + outputs` when `inputSize` samples become `outputSize` (Resample.c, `precompute_coeffs`). */
function bicubicWeights(inputSize: number, outputSize: number, from: number, outputs: number): Weights {
  const scale = inputSize / outputSize;
  const filterScale = Math.max(scale, 1);
  const support = bicubicSupport * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(outputs);
  const count = new Int32Array(outputs);
  const fixed = new Int32Array(outputs * stride);
  const exact = new Float64Array(stride);
  const inverseScale = 1 / filterScale;
  for (let output = 0; output < outputs; output++) {
    const centre = (from + output + 0.5) * scale;
    const start = Math.max(Math.trunc(centre - support + 0.5), 0);
    const taps = Math.min(Math.trunc(centre + support + 0.5), inputSize) - start;
    let sum = 0;
    for (let tap = 0; tap < taps; tap++) {
      const weight = bicubic((tap + start - centre + 0.5) * inverseScale);
      exact[tap] = weight;
      sum += weight;
    }
    for (let tap = 0; tap < taps; tap++) {
      const weight = (sum === 0 ? exact[tap]! : exact[tap]! / sum) * (1 << precisionBits);
      fixed[output * stride + tap] = Math.trunc(weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    first[output] = start;
    count[output] = taps;
  }
  return { first, count, fixed, stride };
}

interface Range {
  readonly from: number;
  readonly to: number;
}

/** -> [rows, columns, 3]. */
function copyColumns(source: RgbRows, columns: Range, rows: Range): Uint8Array {
  const rowBytes = 3 * (columns.to - columns.from);
  const result = new Uint8Array((rows.to - rows.from) * rowBytes);
  for (let row = rows.from, to = 0; row < rows.to; row++, to += rowBytes) {
    result.set(source.row(row).subarray(3 * columns.from, 3 * columns.to), to);
  }
  return result;
}

/** -> [rows, outputs, 3]. */
function resampleColumns(source: RgbRows, weights: Weights, rows: Range): Uint8Array {
  const { first, count, fixed, stride } = weights;
  const outputs = first.length;
  const result = new Uint8ClampedArray((rows.to - rows.from) * outputs * 3);
  let to = 0;
  for (let row = rows.from; row < rows.to; row++) {
    const samples = source.row(row);
    for (let output = 0; output < outputs; output++) {
      const taps = count[output]!;
      let weightAt = output * stride;
      let at = 3 * first[output]!;
      let red = half;
      let green = half;
      let blue = half;
      for (let tap = 0; tap < taps; tap++) {
        const weight = fixed[weightAt++]!;
        red = (red + Math.imul(samples[at]!, weight)) | 0;
        green = (green + Math.imul(samples[at + 1]!, weight)) | 0;
        blue = (blue + Math.imul(samples[at + 2]!, weight)) | 0;
        at += 3;
      }
      result[to] = red >> precisionBits;
      result[to + 1] = green >> precisionBits;
      result[to + 2] = blue >> precisionBits;
      to += 3;
    }
  }
  return bytesOf(result);
}

/** `source` [rows, rowBytes], its first row being row `firstRow` of the image -> [outputs, rowBytes]. */
function resampleRows(source: Uint8Array, rowBytes: number, weights: Weights, firstRow: number): Uint8Array {
  const { first, count, fixed, stride } = weights;
  const outputs = first.length;
  const result = new Uint8ClampedArray(outputs * rowBytes);
  const sums = new Int32Array(rowBytes);
  for (let output = 0; output < outputs; output++) {
    sums.fill(half);
    for (let tap = 0; tap < count[output]!; tap++) {
      const weight = fixed[output * stride + tap]!;
      const from = (first[output]! - firstRow + tap) * rowBytes;
      for (let i = 0; i < rowBytes; i++) sums[i] = sums[i]! + Math.imul(source[from + i]!, weight);
    }
    const to = output * rowBytes;
    for (let i = 0; i < rowBytes; i++) result[to + i] = sums[i]! >> precisionBits;
  }
  return bytesOf(result);
}
