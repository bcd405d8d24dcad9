import { readdir, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { openRuntime } from '../../src/engine/open-runtime.js';
import { choosePinning, parseProcessorList } from '../../src/engine/pinning.js';
import { configEntries, type SessionOptions } from '../../src/engine/sessions.js';
import { GraphBuilder } from '../../src/onnx/graph-builder.js';
import { sessionKinds } from '../support/runtimes.js';

describe('a list of processors', () => {
  it.each([
    ['0', [0]],
    ['0-3', [0, 1, 2, 3]],
    ['0-1,4,6-7\n', [0, 1, 4, 6, 7]],
    ['', []],
  ])('%s is read as the kernel means it', (text, expected) => {
    expect(parseProcessorList(text)).toEqual(expected);
  });
});

describe('the configuration of a session', () => {
  const affinities = 'session.intra_op_thread_affinities';
  const options: SessionOptions = {
    ...{ threads: 3, keepsWorkspace: true, mapsWeights: false, onDevice: false },
    processors: [2, 4, 5, 7],
  };

  it('names a processor for every thread but the first, counted from 1', () => {
    expect(configEntries(options)[affinities]).toBe('5;6');
    expect(configEntries({ ...options, threads: 2 })[affinities]).toBe('5');
  });

  it('leaves it to the system for one thread, or where nothing was asked for', () => {
    expect(configEntries({ ...options, threads: 1 })).not.toHaveProperty([affinities]);
    expect(configEntries({ ...options, processors: null })).not.toHaveProperty([affinities]);
  });
});

/** Threads of this process that may use one processor only. */
async function boundThreads(): Promise<number> {
  let bound = 0;
  for (const thread of await readdir('/proc/self/task')) {
    const status = await readFile(`/proc/self/task/${thread}/status`, 'utf8').catch(() => '');
    const allowed = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '';
    if (parseProcessorList(allowed).length === 1) bound++;
  }
  return bound;
}

const pinning = await choosePinning(2);

describe.skipIf(pinning.kind === 'free').each(sessionKinds)('a runtime with %s sessions', (attention) => {
  it('binds the threads it starts', async () => {
    const graph = new GraphBuilder();
    graph.input('x', 'f32', [1]);
    graph.op('Identity', ['x'], {}, 'y');
    graph.output('y', 'f32', [1]);
    const processors = pinning.kind === 'pinned' ? pinning.processors : [];
    const before = await boundThreads();
    const runtime = await openRuntime({ threads: 2, attention, device: 'cpu', processors });
    await runtime.open(graph.bytes());
    expect(await boundThreads()).toBe(before + 1);
    await runtime.close();
  });
});

it('more threads than processors are left to the system, which is said', async () => {
  const free = await choosePinning(100_000);
  expect(free).toMatchObject({ kind: 'free' });
});
