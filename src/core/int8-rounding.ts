/** What the largest magnitude of a channel comes to. */
export const largestInt8 = 127;

/** What int8 holds at least; ONNX Runtime, too, cuts off there. */
const smallestInt8 = -128;

/** Added to a number and taken away again it leaves the nearest integer, halves to even, for numbers below 2^51. */
const roundingConstant = 1.5 * 2 ** 52;

/** The int8 value of `value / scale`: rounded half to even, beyond the range cut off. @param inverse 1 / scale, float32 */
export function toInt8(value: number, inverse: number): number {
  const rounded = Math.fround(value * inverse) + roundingConstant - roundingConstant;
  return rounded > largestInt8 ? largestInt8 : rounded < smallestInt8 ? smallestInt8 : rounded;
}

/** The factors by which values are multiplied before they are rounded. */
export function inverseScales(scales: Float32Array): Float32Array {
  return scales.map((scale) => 1 / scale);
}
