import { expect, it } from 'vitest';
import { clockStep } from '../../src/core/clock-step.js';

it('the smallest step of the clock is a time, and less than a millisecond', () => {
  expect(clockStep()).toBeGreaterThan(0);
  expect(clockStep()).toBeLessThan(1000);
});
