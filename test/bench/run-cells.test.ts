import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBundle } from '../../src/backbone/open-bundle.js';
import { findPromptTemplate } from '../../src/backbone/prompt-template.js';
import { createStopCheck } from '../../src/backbone/stop-criteria.js';
import { type Backbone, openBackbone } from '../../src/bench/open-backbone.js';
import type { Cell } from '../../src/bench/record.js';
import { type CellObserver, type PreparedPrompt, runCells } from '../../src/bench/run-cells.js';
import { convertCheckpoint } from '../../src/convert/convert-checkpoint.js';
import { Runtime } from '../../src/engine/runtime.js';
import { largestDifference } from '../../src/verify/tally.js';
import { fixturePath, repositoryPath } from '../support/fixture-path.js';
import { float32Values, int32Values, readSafetensors } from '../support/read-safetensors.js';

const golden = readSafetensors(fixturePath('embedded/golden_sample.safetensors'));
const tokensPerImage = 81;
const full: Cell = { method: 'full', semantics: 'release', budget: null, firstToken: 'prefill' };
const cellOf = (method: string, ratio: number, firstToken: Cell['firstToken'] = 'prefill'): Cell => ({
  method,
  semantics: 'release',
  budget: { recent: ratio, important: ratio },
  firstToken,
});

let directory: string;
let backbone: Backbone;
let prompt: PreparedPrompt;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'lookm-cells-'));
  const out = path.join(directory, 'bundle');
  const checkpoint = repositoryPath('models/tiny-llava');
  await convertCheckpoint({ checkpoint, out, dtype: 'fp32', prompt: findPromptTemplate('llava_llama_2') });
  backbone = await openBackbone(await openBundle(out, { verify: 'sizes' }), new Runtime({ threads: 2 }));
  const embeddings = float32Values(golden, 'inputs_embeds');
  prompt = { embeddings, modality: imagePositions(embeddings) };
});
afterAll(async () => {
  await backbone.close();
  await rm(directory, { recursive: true, force: true });
});

/** Positions whose embedding is a row of the recorded projector output. */
function imagePositions(embeddings: Float32Array): Uint8Array {
  const features = float32Values(golden, 'projector_output');
  const { hiddenSize } = backbone.bundle.manifest.text;
  const modality = new Uint8Array(embeddings.length / hiddenSize);
  let image = 0;
  for (let position = 0; position < modality.length; position++) {
    const row = features.subarray(image * hiddenSize, (image + 1) * hiddenSize);
    const here = embeddings.subarray(position * hiddenSize, (position + 1) * hiddenSize);
    if (row.length > 0 && largestDifference(here, row) < 1e-6) {
      modality[position] = 1;
      image++;
    }
  }
  expect(image).toBe(features.length / hiddenSize);
  expect(image % tokensPerImage).toBe(0);
  return modality;
}

function run(cells: readonly Cell[], observer: CellObserver = {}) {
  const { text, prompt: template, tokens } = backbone.bundle.manifest;
  const { tokenizer, embeddings } = backbone;
  const embed = (token: number): Float32Array => {
    const row = new Float32Array(text.hiddenSize);
    embeddings.readRow(token, row);
    return row;
  };
  const stop = createStopCheck({ stopStrings: template.stopStrings, tokenizer, tokens });
  return runCells(backbone, prompt, cells, { maxNewTokens: 16, stop, embed }, observer);
}

describe('one sample in depth', () => {
  it('gives the K, V, column sums and logits of the independent implementation', async () => {
    const errors: Record<string, number> = {};
    let logits: Float32Array | undefined;
    await run([full], {
      onPrefilled: ({ layer, length, keys, values, statistics }) => {
        errors[`k.${layer}`] = largestDifference(keys, float32Values(golden, `k.${layer}`));
        errors[`v.${layer}`] = largestDifference(values, float32Values(golden, `v.${layer}`));
        const sums = statistics.columnSums(length);
        errors[`sums.${layer}`] = largestDifference(sums, float32Values(golden, `attn_colsum.${layer}`));
      },
      onLogits: (_cell, seen) => {
        logits ??= seen.slice();
      },
    });
    expect(Object.keys(errors).length).toBe(12);
    expect(Math.max(...Object.values(errors))).toBeLessThan(1e-4);
    expect(largestDifference(logits!, float32Values(golden, 'logits_last'))).toBeLessThan(1e-3);
  });

  it.each([
    ['h2o', 'h2o'],
    ['look-m-tp-p', 'text_prior_pivot_merge'],
  ])('conserves the positions that %s conserves there, in every layer and head', async (method, name) => {
    for (const [budget, ratio] of [
      ['20%', 0.1],
      ['5%', 0.025],
    ] as const) {
      const kept: Int32Array[] = [];
      await run([cellOf(method, ratio)], { onCompressed: (_cell, _layer, layer) => kept.push(layer.kept) });
      expect(kept.length).toBe(4);
      for (const [layer, positions] of kept.entries())
        expect(positions).toEqual(int32Values(golden, `keep.${name}.${budget}.${layer}`));
    }
  });
});

describe('one prefill, many caches', () => {
  const cells = [full, cellOf('h2o', 0.1), cellOf('h2o', 0.025, 'cache'), cellOf('look-m-tp-p', 0.025)];

  it('prefills once whatever the number of cells', async () => {
    const { counters } = backbone.model;
    const before = counters.prefills;
    await run([full]);
    const alone = counters.prefills - before;
    await run([...cells, cellOf('look-m-tp-p', 0.1, 'cache')]);
    expect(alone).toBe(1);
    expect(counters.prefills - before - alone).toBe(1);
  });

  it('a cell answers the same alone and among others, also with recycled buffers', async () => {
    const together = await run(cells);
    for (const [index, cell] of cells.entries()) {
      const [alone] = (await run([cell])).outcomes;
      expect(alone!.generation.tokens).toEqual(together.outcomes[index]!.generation.tokens);
      expect(alone!.rows).toEqual(together.outcomes[index]!.rows);
    }
  });
});

describe('the first-token protocols', () => {
  it('agree for the full cache: the last token on the cache of the others gives the logits of prefill', async () => {
    const first = new Map<Cell, Float32Array>();
    const onCache: Cell = { ...full, firstToken: 'cache' };
    const { outcomes } = await run([full, onCache], {
      onLogits: (cell, seen) => {
        if (!first.has(cell)) first.set(cell, seen.slice());
      },
    });
    expect(largestDifference(first.get(full)!, first.get(onCache)!)).toBeLessThan(1e-4);
    expect(outcomes[1]!.generation.tokens).toEqual(outcomes[0]!.generation.tokens);
    expect(outcomes[1]!.rows[0]).toBe(outcomes[0]!.rows[0]! - 1);
    expect(outcomes[1]!.generation.steps.length).toBe(outcomes[0]!.generation.steps.length + 1);
  });

  it('under `cache` sizes and scores come from the prompt without its last token', async () => {
    const rows: number[] = [];
    const cell = cellOf('h2o', 0.1, 'cache');
    await run([cell], {
      onCompressed: (_cell, _layer, layer) => {
        rows.push(layer.rows);
        expect(Math.max(...layer.kept)).toBe(prompt.modality.length - 2);
      },
    });
    const length = prompt.modality.length - 1;
    expect(rows).toEqual(Array(4).fill(2 * Math.trunc(length * 0.1)));
  });
});
