/** 16-bit floats without lookup tables; both formats widen to float32 without loss. */

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

/** Bits of the smallest float32 that rounds to a binary16 infinity. */
const overflowBits = 0x477ff000;

/** Bits of 2^-14, the smallest float32 that is a normal binary16. */
const normalBits = 0x38800000;

/**
 * float32 -> IEEE binary16, to the nearest, ties to even. `source` and `target` have the same length.
 *
 * @returns the index of the first number beyond the format's range (65504) or not finite, -1 when there is none
 */
export function narrowFloat16(source: Float32Array, target: Uint16Array): number {
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < bits.length; i++) {
    const magnitude = bits[i]! & 0x7fffffff;
    if (magnitude >= overflowBits) return i;
    const sign = (bits[i]! >>> 16) & 0x8000;
    if (magnitude >= normalBits) {
      const odd = (magnitude >>> 13) & 1;
      target[i] = sign | ((magnitude - 0x38000000 + 0xfff + odd) >>> 13);
    } else {
      target[i] = sign | roundToEven(Math.abs(source[i]!) * 2 ** 24);
    }
  }
  return -1;
}

/** Of a number from 0 to 2^10: adding 2^52 leaves no bits for a fraction. */
function roundToEven(value: number): number {
  return value + 2 ** 52 - 2 ** 52;
}
