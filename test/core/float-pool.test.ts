import { expect, it } from 'vitest';
import { FloatPool } from '../../src/core/float-pool.js';

it('hands out arrays of the asked length and takes them up again for similar ones', () => {
  const pool = new FloatPool();
  const first = pool.take(1000);
  expect(first.length).toBe(1000);
  const { buffer } = first;
  pool.give(first);
  const second = pool.take(1010);
  expect(second.length).toBe(1010);
  expect(second.buffer).toBe(buffer);
  expect(pool.take(1000).buffer).not.toBe(buffer);
});

it('never hands one array to two users', () => {
  const pool = new FloatPool();
  const arrays = Array.from({ length: 5 }, () => pool.take(64));
  expect(new Set(arrays.map(({ buffer }) => buffer)).size).toBe(5);
});

it('wastes at most a quarter, and gives an empty array for no floats', () => {
  const pool = new FloatPool();
  for (const length of [1000, 4097, 123_456]) {
    const { buffer } = pool.take(length);
    expect(buffer.byteLength).toBeLessThanOrEqual(length * 4 * 1.25);
  }
  expect(pool.take(0).length).toBe(0);
});

it('keeps nothing that it was told to forget', () => {
  const pool = new FloatPool();
  const first = pool.take(1000);
  pool.give(first);
  pool.clear();
  expect(pool.take(1000).buffer).not.toBe(first.buffer);
});

it('hands out int8 arrays from the same memory', () => {
  const pool = new FloatPool();
  const floats = pool.take(1000);
  pool.give(floats);
  const integers = pool.takeInt8(3999);
  expect(integers.length).toBe(3999);
  expect(integers.buffer).toBe(floats.buffer);
  pool.give(integers);
  expect(pool.take(1000).buffer).toBe(floats.buffer);
});
