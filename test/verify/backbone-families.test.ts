import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { ModeTally } from '../../src/verify/tally.js';
import { verifyDirectories } from '../../src/verify/verify-directories.js';
import { fixturePath } from '../support/fixture-path.js';
import { readJson } from '../support/read-json.js';

const visionStage = 'vision tower and projector';
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'lookm-test-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

function tallyOf(tallies: readonly ModeTally[], mode: string): ModeTally {
  const found = tallies.find((one) => one.mode === mode);
  if (found === undefined) throw new Error(`no tally of ${mode}`);
  return found;
}

describe.each([
  // Pixels; positions, embeddings and steps of the projector, and three images; prompt; K, V, sums and logits.
  ['mobilevlm', { pixels: 12, [visionStage]: 9, 'prompt and embeddings': 6, prefill: 10 }],
  ['internvl', { pixels: 12, [visionStage]: 8, 'prompt and embeddings': 6, prefill: 10 }],
])('the vectors of %s', (fixture, stages) => {
  let tallies: ModeTally[];
  beforeAll(async () => {
    tallies = await verifyDirectories([fixturePath(`backbones/${fixture}`)]);
  });

  it.each(Object.entries(stages))('agree in %s', (mode, cases) => {
    const tally = tallyOf(tallies, mode);
    expect(tally).toMatchObject({ status: 'passed', format: 'backbones', cases });
    expect(tally.worstError).toBeLessThanOrEqual(1e-4);
  });

  it.each([
    ['full', 1],
    ['h2o', 2],
    ['text_prior_pivot_merge', 2],
  ])('agree in every token of %s', (mode, runs) => {
    const identicalTokens = { equal: runs, of: runs };
    expect(tallyOf(tallies, mode)).toMatchObject({ status: 'passed', cases: runs, identicalTokens });
  });

  it('are all run, and fail in no mode', () => {
    expect(tallies).toHaveLength(Object.keys(stages).length + 11);
    expect(tallies.filter(({ status }) => status !== 'passed')).toEqual([]);
  });
});

const runSchema = z.looseObject({
  kv_mode: z.string(),
  tokens: z.array(z.int()),
  cache_len: z.array(z.int()),
});
const modesSchema = z.looseObject({ runs: z.record(z.string(), runSchema) });
const jsonObject = z.record(z.string(), z.unknown());

const mergedRun = 'text_prior_pivot_merge.0.1';

/** A copy of the vectors, of whose cache modes one run is left, for a test to change. */
async function oneRun(fixture: string, run = mergedRun): Promise<string> {
  const directory = await mkdtemp(path.join(scratch, `${fixture}-`));
  await cp(fixturePath(`backbones/${fixture}`), directory, { recursive: true });
  await changeModes(directory, (modes) => {
    modes.runs = { [run]: modes.runs[run]! };
  });
  return directory;
}

async function changeModes(
  directory: string,
  change: (modes: z.output<typeof modesSchema>) => void,
): Promise<void> {
  const file = path.join(directory, 'golden_lookm.json');
  const modes = readJson(file, modesSchema);
  change(modes);
  await writeFile(file, JSON.stringify(modes));
}

async function changeJson(file: string, fields: z.output<typeof jsonObject>): Promise<void> {
  await writeFile(file, JSON.stringify({ ...readJson(file, jsonObject), ...fields }));
}

/** Adds to the first number of a float32 tensor. */
async function shift(file: string, tensor: string, by: number): Promise<void> {
  const content = await readFile(file);
  const start = 8 + Number(content.readBigUInt64LE(0));
  const entry = z.looseObject({ data_offsets: z.tuple([z.int(), z.int()]) });
  const header = z.looseObject({ [tensor]: entry }).parse(JSON.parse(content.subarray(8, start).toString()));
  const at = start + entry.parse(header[tensor]).data_offsets[0];
  content.writeFloatLE(content.readFloatLE(at) + by, at);
  await writeFile(file, content);
}

/** What failed, by mode. */
function failures(tallies: readonly ModeTally[]): [string, readonly string[]][] {
  return tallies.filter(({ status }) => status === 'failed').map(({ mode, notes }) => [mode, notes]);
}

describe('a changed vector fails and is named', () => {
  it('untouched, the copy passes', async () => {
    const tallies = await verifyDirectories([await oneRun('internvl')]);
    expect(tallies.map(({ mode, status }) => [mode, status])).toEqual([
      ['pixels', 'passed'],
      [visionStage, 'passed'],
      ['prompt and embeddings', 'passed'],
      ['prefill', 'passed'],
      ['full', 'passed'],
      ['text_prior_pivot_merge', 'passed'],
    ]);
  });

  it.each([
    ['mobilevlm', 'golden.safetensors', 'projector_mlp_image0', visionStage, 'image 0: projector_mlp: error'],
    [
      'mobilevlm',
      'golden.safetensors',
      'projector_pooled_image0',
      visionStage,
      'image 0: projector_pooled: error',
    ],
    [
      'internvl',
      'golden.safetensors',
      'vision_position_embedding_interpolated',
      visionStage,
      'positions: error',
    ],
    ['internvl', 'golden.safetensors', 'vision_tower_output', visionStage, 'image 0: tower: error'],
    ['mobilevlm', 'golden.safetensors', 'logits_last', 'prefill', 'logits: error'],
    ['internvl', 'golden.safetensors', 'k.2', 'prefill', 'K of layer 2: error'],
    ['mobilevlm', 'golden.safetensors', 'v.0', 'prefill', 'V of layer 0: error'],
    ['internvl', 'golden.safetensors', 'attn_colsum.1', 'prefill', 'column sums of layer 1: error'],
    ['internvl', 'golden.safetensors', 'full.logits', 'full', 'logits: error'],
    [
      'mobilevlm',
      'golden_lookm.safetensors',
      `${mergedRun}.k.1`,
      'text_prior_pivot_merge',
      `${mergedRun}: K of layer 1: error`,
    ],
    [
      'internvl',
      'golden_lookm.safetensors',
      `${mergedRun}.v.2`,
      'text_prior_pivot_merge',
      `${mergedRun}: V of layer 2: error`,
    ],
  ])('%s/%s: %s', async (fixture, file, tensor, mode, note) => {
    const directory = await oneRun(fixture);
    await shift(path.join(directory, file), tensor, 0.01);
    const tallies = await verifyDirectories([directory]);
    expect(failures(tallies)).toEqual([[mode, [expect.stringContaining(note)]]]);
  });

  it('a token of the full cache', async () => {
    const directory = await oneRun('internvl');
    const golden = path.join(directory, 'golden.json');
    const { full_cache_tokens: tokens } = readJson(
      golden,
      z.looseObject({ full_cache_tokens: z.array(z.int()) }),
    );
    await changeJson(golden, { full_cache_tokens: tokens.with(-1, 7) });
    const tallies = await verifyDirectories([directory]);
    expect(failures(tallies)).toEqual([['full', ['tokens differs']]]);
    expect(tallyOf(tallies, 'full').identicalTokens).toEqual({ equal: 0, of: 1 });
  });

  it('a token and a cache length of a mode', async () => {
    const directory = await oneRun('mobilevlm', 'h2o.0.025');
    await changeModes(directory, ({ runs }) => {
      const run = runs['h2o.0.025']!;
      run.tokens = run.tokens.with(3, 7);
      run.cache_len = run.cache_len.with(1, 25);
    });
    expect(failures(await verifyDirectories([directory]))).toEqual([
      ['h2o', ['h2o.0.025: tokens differs', 'h2o.0.025: rows differs']],
    ]);
  });

  it.each([
    [{ image_spans: [[34, 34]] }, 'image span [34, 34] does not fit 485 positions'],
    [{ image_spans: [[34, 486]] }, 'image span [34, 486] does not fit 485 positions'],
    [{ sequence_length: 484 }, 'inputs_embeds is [485, 64], but golden.json and config.json mean [484, 64]'],
  ])('a description that does not fit the tensors: %j', async (fields, note) => {
    const directory = await oneRun('mobilevlm');
    await changeJson(path.join(directory, 'golden.json'), fields);
    expect(failures(await verifyDirectories([directory]))).toEqual([
      ['all', [expect.stringContaining(note)]],
    ]);
  });
});

describe('what cannot be run', () => {
  it('a mode without a method is skipped, never passed', async () => {
    const directory = await oneRun('internvl');
    await changeModes(directory, ({ runs }) => {
      runs[mergedRun]!.kv_mode = 'a_mode_to_come';
    });
    const tally = tallyOf(await verifyDirectories([directory]), 'a_mode_to_come');
    expect(tally).toMatchObject({ status: 'skipped', cases: 1, worstError: null, identicalTokens: null });
  });

  it('a family that is not known fails instead of being skipped', async () => {
    const directory = await oneRun('internvl');
    await changeJson(path.join(directory, 'config.json'), { model_type: 'llava_qwen' });
    expect(failures(await verifyDirectories([directory]))).toEqual([
      ['all', [expect.stringContaining('model_type: only InternVL-Chat with a Llama language model')]],
    ]);
  });

  it('a damaged checkpoint fails instead of being skipped', async () => {
    const directory = await oneRun('internvl');
    await changeJson(path.join(directory, 'config.json'), { num_hidden_layers: 4 });
    const notes = [expect.stringContaining('9 missing tensors: model.layers.3.input_layernorm.weight')];
    expect(failures(await verifyDirectories([directory]))).toEqual([['all', notes]]);

    const other = await oneRun('mobilevlm');
    await writeFile(path.join(other, 'config.json'), '{');
    expect(failures(await verifyDirectories([other]))).toEqual([
      ['all', [expect.stringContaining('config.json: is not JSON')]],
    ]);
  });
});
