import { openMemoryRead, readRate } from '../engine/memory-read.js';
import { floats, type Runtime } from '../engine/runtime.js';
import { GraphBuilder } from '../onnx/graph-builder.js';
import type { Measured } from './benchmark.js';
import { cacheRows, decodeBytes, sevenB, wholeSevenB } from './decoder-shape.js';
import { type Contender, timeInterleaved } from './interleaved.js';
import { RandomCache } from './random-cache.js';
import { formatName, openRandomDecoder } from './random-decoder.js';
import type { TimedFormat } from './random-weights.js';
import { openProduct } from './single-product.js';
import { withModelDirectory } from './temporary-models.js';

const formats = [
  { dtype: 'int4', blockSize: 32 },
  { dtype: 'int4', blockSize: 64 },
  { dtype: 'int4', blockSize: 128 },
] as const satisfies readonly TimedFormat[];

/** Bytes of one reading of memory. */
const readBytes = 512 * 2 ** 20;

const emptyRuns = 1000;

/** One token through four layers of LLaVA-1.5-7B as the engine runs it, beside the fastest read of memory. */
export async function benchmarkDecode(runtime: Runtime, rounds: number): Promise<Measured> {
  return withModelDirectory(async (directory) => {
    const memory = await openMemoryRead(runtime);
    const limit = `memory read (${memory.name})`;
    const embedding = new Float32Array(sevenB.hiddenSize).fill(0.1);
    const caches = cacheRows.map((rows) => ({ rows, cache: new RandomCache(sevenB, rows) }));
    const contenders: Contender[] = [];
    for (const format of formats) {
      const model = await openRandomDecoder(runtime, directory, sevenB, format);
      for (const { rows, cache } of caches) {
        contenders.push({
          name: `${formatName(format)}, ${rows} rows`,
          run: async () => void (await cache.step(model, embedding)),
          work: { unit: 'GB/s', amount: decodeBytes(sevenB, format, rows) / 1e9 },
          limits: [limit],
          parts: { count: sevenB.layers, name: 'layer' },
        });
      }
    }
    contenders.push(
      {
        name: limit,
        run: async () => readBytes / readRate(await memory.read(readBytes)) / 1e6,
        timesItself: true,
        work: { unit: 'GB/s', amount: readBytes / 1e9 },
      },
      { name: 'output matrix, int8 b128', run: await openHead(runtime, directory) },
      {
        name: `${emptyRuns} runs of an empty graph`,
        run: await openEmptyRuns(runtime),
        parts: { count: emptyRuns, name: 'run' },
      },
    );
    const timings = await timeInterleaved(contenders, rounds);
    await memory.close();
    const [head, empty] = timings.slice(-2).map((timing) => timing.median);
    const runs = 2 * wholeSevenB.layers + 1;
    const notes = timings.slice(0, -3).map(({ name, part }) => {
      const token = part!.median * wholeSevenB.layers + head!;
      const share = (100 * runs * empty!) / emptyRuns / token;
      return `${name}: ${token.toFixed(0)} ms a token of ${wholeSevenB.layers} layers and the output matrix; ${share.toFixed(1)} % of it is the overhead of ${runs} runs`;
    });
    return { timings, notes };
  });
}

/** One row times the output matrix of the whole model, as an int4 bundle stores it. */
function openHead(runtime: Runtime, directory: string): Promise<() => Promise<void>> {
  return openProduct(runtime, directory, {
    name: 'head',
    rows: 1,
    dims: [wholeSevenB.vocabSize, sevenB.hiddenSize],
    format: { dtype: 'int8', blockSize: 128 },
  });
}

/** Runs of a graph that only hands its input on. */
async function openEmptyRuns(runtime: Runtime): Promise<() => Promise<void>> {
  const graph = new GraphBuilder();
  graph.input('x', 'f32', [1]);
  graph.op('Identity', ['x'], {}, 'y');
  graph.output('y', 'f32', [1]);
  const kernel = await runtime.open(graph.bytes());
  const x = floats(new Float32Array(1), [1]);
  return async () => {
    for (let run = 0; run < emptyRuns; run++) await kernel.run({ x });
  };
}
