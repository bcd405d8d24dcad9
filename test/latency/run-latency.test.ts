import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { RunDirectory } from '../../src/bench/run-directory.js';
import { UserError } from '../../src/core/errors.js';
import { latencyLog } from '../../src/latency/latency-record.js';
import { type LatencyProgress, runLatency } from '../../src/latency/run-latency.js';
import { description, generation, methods, scratch, writeTask } from '../bench/fake-run.js';

const protocol = { steps: 2, warmUp: 0, repeats: 1, nullTest: false };

async function request(openSetup: () => Promise<never>) {
  const out = path.join(await scratch(), 'run');
  const identity = { ...description.identity, latency: protocol };
  const directory = await RunDirectory.open(out, { ...description, identity }, latencyLog, new Date(0));
  const task = await writeTask(await scratch(), 'One', 3);
  const plan = {
    cells: [],
    tasks: [{ task, samples: task.samples }],
    firstTokens: ['cache'],
    scoring: 'release',
  } as const;
  const settings = {
    ...{ cells: [], methods, generation, protocol, seed: 0, cacheBytes: 1e9 },
    spillDirectory: await scratch(),
  };
  const events: LatencyProgress[] = [];
  const onProgress = (event: LatencyProgress) => void events.push(event);
  const asked = { plan, directory, bundleSha256: 'b', threads: 1, settings, openSetup, onProgress };
  return { out, directory, events, asked };
}

describe('a latency run', () => {
  it('ends when what measures cannot be opened, which is no failure of a sample', async () => {
    let opened = 0;
    const { out, directory, asked } = await request(async () => {
      opened++;
      throw new UserError({ what: 'this machine computes wrongly', fix: 'run `lookm doctor`' });
    });
    await expect(runLatency(asked)).rejects.toThrow('this machine computes wrongly');
    expect(opened).toBe(1);
    await directory.close();
    const manifest = JSON.parse(await readFile(path.join(out, 'manifest.json'), 'utf8'));
    expect(manifest.counters.lastCommand).toMatchObject({ records: 0, failures: 0 });
    expect(manifest.finishedAt).toBeNull();
  });

  it('that is stopped before its first sample opens nothing', async () => {
    const { directory, asked } = await request(async () => {
      throw new Error('opened');
    });
    const stopping = new AbortController();
    stopping.abort();
    const summary = await runLatency({ ...asked, signal: stopping.signal });
    expect(summary).toMatchObject({ written: 0, interrupted: true, planned: [], failures: [] });
    await directory.close();
  });
});
