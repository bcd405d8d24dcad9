/** Lookup-free widening of 16-bit floats; both formats widen to float32 without loss. */

const scratch = new ArrayBuffer(4);
const scratchBits = new Uint32Array(scratch);
const scratchFloat = new Float32Array(scratch);

function float16ToBits32(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  scratchFloat[0] = fraction * 2 ** -24;
  return sign | scratchBits[0]!;
}

/** IEEE binary16 -> float32. `source` and `target` have the same length. */
export function widenFloat16(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = float16ToBits32(source[i]!);
}

/** bfloat16 -> float32. `source` and `target` have the same length. */
export function widenBfloat16(source: Uint16Array, target: Float32Array): void {
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = source[i]! << 16;
}
