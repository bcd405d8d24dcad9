import { expect, test } from 'vitest';
import { narrowFloat16, widenFloat16 } from '../../src/core/half-floats.js';

/** Value of a binary16 as its definition reads. */
function float16(bits: number): number {
  const sign = bits >> 15 === 0 ? 1 : -1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  return sign * (exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15));
}

/** Every finite binary16 from 0 up, in order. */
const magnitudes = Array.from({ length: 0x7c00 }, (_, bits) => bits);

test('every finite float16 widens to its value and narrows to its bits again', () => {
  const halves = Uint16Array.from([...magnitudes, ...magnitudes.map((bits) => bits | 0x8000)]);
  const floats = new Float32Array(halves.length);
  widenFloat16(halves, floats);
  expect(floats.every((value, i) => Object.is(value, float16(halves[i]!)))).toBe(true);
  const narrow = new Uint16Array(halves.length);
  expect(narrowFloat16(floats, narrow)).toBe(-1);
  expect(narrow).toEqual(halves);
});

test('a number between two is rounded to the nearer, halfway to the even one', () => {
  const pairs = magnitudes.slice(0, -1);
  const middle = pairs.map((bits) => (float16(bits) + float16(bits + 1)) / 2);
  const between = (towards: number) =>
    Float32Array.from(
      pairs,
      (bits, i) => middle[i]! + towards * (float16(bits + 1) - float16(bits)) * 2 ** -9,
    );
  const narrow = new Uint16Array(pairs.length);
  narrowFloat16(between(-1), narrow);
  expect([...narrow]).toEqual(pairs);
  narrowFloat16(between(1), narrow);
  expect([...narrow]).toEqual(pairs.map((bits) => bits + 1));
  narrowFloat16(Float32Array.from(middle), narrow);
  expect([...narrow]).toEqual(pairs.map((bits) => bits + (bits & 1)));
});

test.each([65520, -70000, 1e38, Number.POSITIVE_INFINITY, Number.NaN])('%s is beyond the range', (value) => {
  expect(narrowFloat16(Float32Array.of(1, 65504, 65519, value), new Uint16Array(4))).toBe(3);
});
