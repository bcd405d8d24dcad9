import { describe, expect, it } from 'vitest';
import { parseMachineTicks, watchProcessors } from '../../src/bench/processor-load.js';

describe('ticks of the machine', () => {
  it('are busy, stolen and all of the first line', () => {
    const stat = 'cpu  100 20 30 1000 50 6 7 8 90 9\ncpu0 1 1 1 1 1 1 1 1 0 0\nintr 5\n';
    expect(parseMachineTicks(stat)).toEqual({ busy: 163, stolen: 8, total: 1221 });
  });

  it('are unknown without such a line', () => {
    expect(parseMachineTicks('cpu0 1 2 3 4')).toBeNull();
    expect(parseMachineTicks('')).toBeNull();
  });
});

it('what others took is a share of the time since', () => {
  const load = watchProcessors();
  const end = performance.now() + 60;
  while (performance.now() < end);
  const taken = load();
  if (process.platform !== 'linux') return expect(taken).toBeNull();
  if (taken === null) throw new Error('Linux tells what others took');
  for (const share of [taken.others, taken.stolen]) {
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(1);
  }
});
