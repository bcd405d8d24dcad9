import { describe, expect, it } from 'vitest';
import { FloatPool } from '../../src/core/float-pool.js';
import { ChunkRows, segmentRows } from '../../src/engine/chunk-rows.js';
import { floatData, floats, type Graph } from '../../src/engine/runtime.js';

const hiddenSize = 3;
const length = 23;
const embeddings = Float32Array.from({ length: length * hiddenSize }, (_, i) => i);

/** A segment without products: every output is a function of its row of the inputs. Counts the rows of each run. */
function plainSegment(): { readonly segment: Graph; readonly rows: number[] } {
  const rows: number[] = [];
  const segment: Graph = {
    run: async ({ hidden, attention, positions }) => {
      const count = hidden!.dims[1]!;
      rows.push(count);
      const [own, attended] = [floatData(hidden!), attention === undefined ? null : floatData(attention)];
      const of = (width: number, value: (row: number, column: number) => number) =>
        floats(
          Float32Array.from({ length: count * width }, (_, i) => value(Math.floor(i / width), i % width)),
          [1, count, width],
        );
      const position = (row: number): number => Number(positions?.data[row] ?? 0);
      return {
        ...(attended === null
          ? {}
          : { hidden_out: of(hiddenSize, (row, d) => own[row * hiddenSize + d]! + attended[row * 4 + d]!) }),
        q: of(4, (row, d) => own[row * hiddenSize]! + 100 * position(row) + d),
        k: of(2, (row, d) => 2 * own[row * hiddenSize]! + d),
        v: of(2, (row, d) => position(row) + d + (attended?.[row * 4] ?? 0)),
        logits: of(5, (row, d) => own[row * hiddenSize]! * d + (attended?.[row * 4] ?? 0)),
      };
    },
  };
  return { segment, rows };
}

/** What the layers of a chunk give, as plain numbers. */
async function throughLayers(rows: number, chunk: { start: number; count: number }) {
  const { segment, rows: runs } = plainSegment();
  const chunkRows = new ChunkRows(chunk, embeddings, { hiddenSize, rows, pool: new FloatPool() });
  const seen: unknown[] = [];
  for (let layer = 0; layer < 3; layer++) {
    const { query, key, value } = await chunkRows.project(segment);
    seen.push(...[query, key, value].map((tensor) => [[...tensor.dims], [...floatData(tensor)]]));
    chunkRows.attended(floats(floatData(query).slice(), query.dims));
  }
  return { seen, runs };
}

describe('the rows of a chunk', () => {
  it('pass the layers the same whatever number of them a segment takes', async () => {
    const chunk = { start: 7, count: 13 };
    const whole = await throughLayers(64, chunk);
    expect(whole.runs).toEqual([13, 13, 13]);
    const pieces = await throughLayers(4, chunk);
    expect(pieces.runs).toEqual([4, 4, 4, 1, 4, 4, 4, 1, 4, 4, 4, 1]);
    expect(pieces.seen).toEqual(whole.seen);
  });

  it('give the logits of a short chunk', async () => {
    const { segment } = plainSegment();
    const last = new ChunkRows({ start: 22, count: 1 }, embeddings, {
      ...{ hiddenSize, rows: 4, pool: new FloatPool() },
    });
    await last.project(segment);
    last.attended(floats(new Float32Array(4).fill(0.5), [1, 1, 4]));
    expect(await last.logits(segment)).toEqual(Float32Array.from([0.5, 66.5, 132.5, 198.5, 264.5]));
  });
});

describe('rows that a segment takes', () => {
  it('leave its widest intermediate within 8 MiB', () => {
    const widths = { tiny: 172, mobileVlm: 6912, llava7b: 11008, llava13b: 13824 };
    const rows = Object.values(widths).map((intermediateSize) => segmentRows({ intermediateSize }));
    expect(rows).toEqual([8192, 256, 128, 128]);
  });
});
