import type { Runtime } from '../engine/runtime.js';
import type { Measured } from './benchmark.js';
import { prefillFlops, sevenB } from './decoder-shape.js';
import { type Contender, timeInterleaved } from './interleaved.js';
import { runPrompt } from './prompt.js';
import { formatName, openRandomDecoder } from './random-decoder.js';
import type { TimedFormat } from './random-weights.js';
import { openProduct } from './single-product.js';
import { withModelDirectory } from './temporary-models.js';

const formats = [
  { dtype: 'int4', blockSize: 32 },
  { dtype: 'int4', blockSize: 128 },
] as const satisfies readonly TimedFormat[];

/** Formats whose bare product is timed, for the peak of the machine. */
const productFormats = [{ dtype: 'fp32' }, ...formats] as const satisfies readonly TimedFormat[];

/** Rows of a product, as many as a chunk of the prompt has. */
const productRows = 512;

/** A prompt of one chunk and a long one, with the most rounds of each. */
const prompts = [
  { length: 512, mostRounds: 5 },
  { length: 4096, mostRounds: 1 },
] as const;

/** Prompts through four layers of LLaVA-1.5-7B as the engine runs them, beside bare products of the same rows. */
export async function benchmarkPrefill(runtime: Runtime, rounds: number): Promise<Measured> {
  return withModelDirectory(async (directory) => {
    const products: Contender[] = [];
    for (const format of productFormats) {
      const name = `product of ${productRows} rows, ${formatName(format)}`;
      const dims = [sevenB.hiddenSize, sevenB.hiddenSize] as const;
      products.push({
        name,
        run: await openProduct(runtime, directory, { name, rows: productRows, dims, format }),
        work: { unit: 'GFLOP/s', amount: (2 * productRows * dims[0] * dims[1]) / 1e9 },
      });
    }
    const models = [];
    for (const format of formats) {
      models.push({ format, model: await openRandomDecoder(runtime, directory, sevenB, format) });
    }
    const timings = [];
    for (const { length, mostRounds } of prompts) {
      const contenders = models.map(
        ({ format, model }): Contender => ({
          name: `${formatName(format)}, ${length} tokens`,
          run: () => runPrompt(model, length),
          work: { unit: 'GFLOP/s', amount: prefillFlops(sevenB, length) / 1e9 },
          limits: products.map(({ name }) => name),
          parts: { count: sevenB.layers, name: 'layer' },
        }),
      );
      timings.push(...(await timeInterleaved([...contenders, ...products], Math.min(rounds, mostRounds))));
    }
    return { timings };
  });
}
