import { expect, test } from 'vitest';
import { eachConcurrently } from '../../src/milebench/each-concurrently.js';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('everything is done, and never more at a time than allowed', async () => {
  const done: number[] = [];
  let running = 0;
  let most = 0;
  await eachConcurrently([...Array(20).keys()], {
    limit: 3,
    work: async (item) => {
      running++;
      most = Math.max(most, running);
      for (let turns = item % 4; turns >= 0; turns--) await turn();
      running--;
      done.push(item);
    },
  });
  expect(most).toBe(3);
  expect(done.sort((a, b) => a - b)).toEqual([...Array(20).keys()]);
});

test('after a failure nothing new starts, and what runs is waited for', async () => {
  const started: number[] = [];
  const ended: number[] = [];
  const working = eachConcurrently([0, 1, 2, 3, 4], {
    limit: 2,
    work: async (item) => {
      started.push(item);
      if (item === 0) throw new Error('no space');
      for (let turns = 0; turns < 5; turns++) await turn();
      ended.push(item);
    },
  });
  await expect(working).rejects.toThrow('no space');
  expect(started).toEqual([0, 1]);
  expect(ended).toEqual([1]);
});
