/**
 * Product of `count` numbers from `a` on with as many from `b` on, in double precision. Four sums at a time: one would wait
 * for itself at every step.
 */
export function dot(data: Float32Array, a: number, b: number, count: number): number {
  let sum0 = 0;
  let sum1 = 0;
  let sum2 = 0;
  let sum3 = 0;
  const whole = count - (count % 4);
  for (let i = 0; i < whole; i += 4) {
    sum0 += data[a + i]! * data[b + i]!;
    sum1 += data[a + i + 1]! * data[b + i + 1]!;
    sum2 += data[a + i + 2]! * data[b + i + 2]!;
    sum3 += data[a + i + 3]! * data[b + i + 3]!;
  }
  for (let i = whole; i < count; i++) sum0 += data[a + i]! * data[b + i]!;
  return sum0 + sum1 + (sum2 + sum3);
}
