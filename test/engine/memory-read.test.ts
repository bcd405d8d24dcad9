import { afterAll, describe, expect, it } from 'vitest';
import { openCompare, openReduce } from '../../src/engine/memory-read.js';
import { Runtime } from '../../src/engine/runtime.js';
import { repositoryPath } from '../support/fixture-path.js';

const runtime = new Runtime({ threads: 1 });
afterAll(() => runtime.close());

const total = 2 ** 20;

describe.each([
  [
    'memcmp',
    async () => openCompare(2, { worker: repositoryPath('dist/engine/read-worker.js'), bytes: total }),
  ],
  ['ReduceMax', () => openReduce(runtime, total)],
] as const)('reading memory with %s', (_, open) => {
  it('reads at least the bytes asked for, and little more', async () => {
    const memory = await open();
    for (const bytes of [1, total / 2, total, 3 * total + 5]) {
      const { bytes: done, milliseconds } = await memory.read(bytes);
      expect(done).toBeGreaterThanOrEqual(bytes);
      expect(done).toBeLessThan(bytes + 2 ** 15);
      expect(milliseconds).toBeGreaterThan(0);
    }
    await memory.close();
  });
});
