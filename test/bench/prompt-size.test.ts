import { expect, test } from 'vitest';
import { planBench } from '../../src/bench/plan.js';
import { cutSize, longestPrompt } from '../../src/bench/prompt-size.js';
import { config, scratch, writeTask } from './fake-run.js';

test('a cut keeps the proportion of images and all positions asked for', () => {
  expect(cutSize({ text: 100, images: 300 }, 500)).toEqual({ text: 100, images: 300 });
  expect(cutSize({ text: 100, images: 300 }, 40)).toEqual({ text: 10, images: 30 });
  expect(cutSize({ text: 0, images: 10 }, 0)).toEqual({ text: 0, images: 0 });
});

test('the longest prompt of a plan has its images, its template, and no more positions than there are', async () => {
  const task = await writeTask(await scratch(), 'Seen', 3);
  const plan = planBench({ config, tasks: [task] });
  const longest = (maxContext: number | null, mostPositions: number) =>
    longestPrompt(plan, { tokensPerImage: 576, maxContext, mostPositions });
  const whole = longest(null, 4080);
  expect(whole.images).toBe(576);
  expect(whole.text).toBeGreaterThan(64);
  expect(longest(300, 4080).images).toBeLessThan(300);
  const cut = longest(null, 300);
  expect(cut.text + cut.images).toBe(300);
});
