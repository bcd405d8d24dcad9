import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { floatData, floats, int32s, int64s, type Runtime } from '../../src/engine/runtime.js';
import { selfTest } from '../../src/engine/self-test.js';
import { persist, type Tensor } from '../../src/engine/sessions.js';
import { GraphBuilder } from '../../src/onnx/graph-builder.js';
import { openRuntime, sessionKinds } from '../support/runtimes.js';

/** y = x + 1, and the largest number of each row with its place. */
function rowsGraph(): Uint8Array {
  const graph = new GraphBuilder();
  graph.input('x', 'f32', ['N', 3]);
  graph.op('Add', ['x', graph.float(1)], {}, 'y');
  graph.output('y', 'f32', ['N', 3]);
  graph.op('ReduceMax', ['x', graph.ints([1])], { keepdims: 0 }, 'largest');
  graph.output('largest', 'f32', ['N']);
  const place = graph.op('ArgMax', ['x'], { axis: 1, keepdims: 0 });
  graph.op('Cast', [place], { to: 6 }, 'place');
  graph.output('place', 'i32', ['N']);
  return graph.bytes();
}

const rows = (...numbers: number[]): Tensor => floats(Float32Array.from(numbers), [numbers.length / 3, 3]);

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

describe.each(sessionKinds)('%s sessions', (kind) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await openRuntime(kind, 2);
  });
  afterAll(() => runtime.close());

  it('pass the self-test', async () => {
    for (const { name, ok, detail } of await selfTest(runtime)) expect(ok, `${name}: ${detail}`).toBe(true);
  });

  it('give all outputs, or those asked for, with type and shape', async () => {
    const graph = await runtime.open(rowsGraph());
    const all = await graph.run({ x: rows(1, 5, 2, 9, 7, 8) });
    expect(Object.keys(all).sort()).toEqual(['largest', 'place', 'y']);
    expect(all['y']!.dims).toEqual([2, 3]);
    expect(all['y']!.data).toEqual(Float32Array.of(2, 6, 3, 10, 8, 9));
    expect(all['largest']!.data).toEqual(Float32Array.of(5, 9));
    expect(all['place']!.data).toEqual(Int32Array.of(1, 0));
    expect(Object.keys(await graph.run({ x: rows(1, 5, 2) }, { outputs: ['place'] }))).toEqual(['place']);
    const none = await graph.run({ x: floats(new Float32Array(0), [0, 3]) });
    expect(none['y']!.dims).toEqual([0, 3]);
    expect(none['y']!.data.length).toBe(0);
  });

  it('take int32 and int64 inputs', async () => {
    const graph = new GraphBuilder();
    graph.input('small', 'i32', [2]);
    graph.input('large', 'i64', [2]);
    graph.op('Add', ['small', graph.op('Cast', ['large'], { to: 6 })], {}, 'sum');
    graph.output('sum', 'i32', [2]);
    const result = await (await runtime.open(graph.bytes())).run({
      small: int32s([1, 2], [2]),
      large: int64s([-10, 20], [2]),
    });
    expect(result['sum']!.data).toEqual(Int32Array.of(-9, 22));
  });

  it('return what they wrote, whether to the target or elsewhere', async () => {
    const graph = await runtime.open(rowsGraph());
    const y = persist(rows(0, 0, 0));
    for (const first of [1, 2]) {
      const result = await graph.run({ x: rows(first, 2, 3) }, { into: { y } });
      expect(result['y']!.data).toEqual(Float32Array.of(first + 1, 3, 4));
      if (kind === 'native') expect(result['y']).toBe(y);
    }
  });

  it('see what is written into a persistent tensor between runs', async () => {
    const graph = await runtime.open(rowsGraph());
    const x = persist(rows(1, 2, 3));
    for (const value of [10, 20, 30]) {
      floatData(x)[1] = value;
      expect((await graph.run({ x }))['largest']!.data).toEqual(Float32Array.of(value));
    }
  });

  it('survive garbage collection between runs, and release what is no longer used', async () => {
    const graph = await runtime.open(rowsGraph());
    const kept = persist(rows(1, 2, 3));
    for (let round = 0; round < 20; round++) {
      for (let i = 0; i < 50; i++) {
        const x = rows(i, 0, 0);
        const { y } = await graph.run(
          { x: i % 2 === 0 ? persist(x) : x },
          { into: { y: persist(rows(0, 0, 0)) } },
        );
        expect(floatData(y!)[0]).toBe(i + 1);
      }
      collectGarbage();
      // Finalizers have their turn.
      await new Promise((resolve) => setTimeout(resolve, 0));
      expect(floatData((await graph.run({ x: kept }))['y']!)).toEqual(Float32Array.of(2, 3, 4));
    }
  });

  it('let timers fire while runs follow each other', async () => {
    const graph = await runtime.open(rowsGraph());
    let fired = false;
    setTimeout(() => {
      fired = true;
    }, 0);
    const end = performance.now() + 5000;
    while (!fired && performance.now() < end) await graph.run({ x: rows(1, 2, 3) });
    expect(fired).toBe(true);
  });

  it('refuse what does not fit, and go on', async () => {
    const graph = await runtime.open(rowsGraph());
    await expect(graph.run({ x: floats(Float32Array.of(1, 2), [1, 2]) })).rejects.toThrow(/dimension/i);
    await expect(graph.run({})).rejects.toThrow();
    await expect(graph.run({ x: rows(1, 2, 3) }, { outputs: ['z'] })).rejects.toThrow();
    await expect(graph.run({ x: int32s([1, 2, 3], [1, 3]) })).rejects.toThrow(/type/i);
    expect((await graph.run({ x: rows(1, 2, 3) }))['largest']!.data).toEqual(Float32Array.of(3));
  });

  it('name a graph that does not load', async () => {
    await expect(runtime.open(Uint8Array.of(1, 2, 3))).rejects.toThrow(
      /^ONNX Runtime cannot load the graph: .+; convert/,
    );
    await expect(runtime.open('/no/such/graph.onnx')).rejects.toThrow(
      /^\/no\/such\/graph\.onnx: ONNX Runtime/,
    );
  });

  it('are released with their runtime, once, and not run afterwards', async () => {
    const own = await openRuntime(kind, 1);
    const graph = await own.open(rowsGraph());
    expect(own.openSessions).toBe(1);
    await own.close();
    await own.close();
    expect(own.openSessions).toBe(0);
    await expect(graph.run({ x: rows(1, 2, 3) })).rejects.toThrow();
    const again = await own.open(rowsGraph());
    expect((await again.run({ x: rows(1, 2, 3) }))['largest']!.data).toEqual(Float32Array.of(3));
    await own.close();
  });
});

it('native sessions refuse a target of another shape, and write into one only', async () => {
  const runtime = await openRuntime('native', 1);
  const graph = await runtime.open(rowsGraph());
  const y = rows(0, 0, 0, 0, 0, 0);
  await expect(graph.run({ x: rows(1, 2, 3) }, { into: { y } })).rejects.toThrow(/shape/i);
  expect(floatData(y)).toEqual(new Float32Array(6));
  await runtime.close();
});
