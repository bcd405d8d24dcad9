import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModeTally } from '../../src/verify/tally.js';
import { vectorFormats } from '../../src/verify/vector-format.js';
import { verifyDirectories } from '../../src/verify/verify-directories.js';

const fixtures = path.join(import.meta.dirname, '..', 'fixtures');
let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(path.join(os.tmpdir(), 'lookm-test-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

function tallyOf(tallies: readonly ModeTally[], directory: string, mode: string): ModeTally {
  const found = tallies.find((one) => one.directory.endsWith(directory) && one.mode === mode);
  if (found === undefined) throw new Error(`no tally of ${mode} in ${directory}`);
  return found;
}

describe('the golden vectors of the official code', () => {
  let tallies: ModeTally[];
  beforeAll(async () => {
    tallies = await verifyDirectories([fixtures]);
  });

  it('are all run, and fail nowhere', () => {
    expect(tallies.filter(({ status }) => status !== 'passed')).toEqual([]);
  });

  it.each(['h2o', 'text_prior_pivot_merge'])(
    'kv/: all 23 cases of %s select, evict and merge alike',
    (mode) => {
      const tally = tallyOf(tallies, 'kv', mode);
      expect(tally).toMatchObject({ status: 'passed', cases: 23, identicalSelections: 23 });
      expect(tally.worstError).toBeLessThanOrEqual(1e-5);
    },
  );

  it.each(['pixels', 'vision tower and projector', 'prompt and embeddings', 'prefill'])(
    'llava: %s agree',
    (stage) => {
      const tally = tallyOf(tallies, 'llava', stage);
      expect(tally.status).toBe('passed');
      expect(tally.cases).toBeGreaterThan(5);
    },
  );

  it.each([
    ['full', 1],
    ['origin', 1],
    ['h2o', 3],
    ['text_prior_pivot_merge', 3],
  ])('llava: every token of %s is identical', (mode, runs) => {
    const tally = tallyOf(tallies, 'llava', mode);
    expect(tally).toMatchObject({
      status: 'passed',
      cases: runs,
      identicalTokens: { equal: runs, of: runs },
    });
  });

  it('llava-hf: the sharded checkpoint in the other layout agrees', () => {
    expect(tallyOf(tallies, 'llava-hf', 'prompt of the other layout').status).toBe('passed');
    expect(tallyOf(tallies, 'llava-hf', 'own prompt, cropped image').status).toBe('passed');
  });

  it.each([
    ['question', 154],
    ['batch', 153],
    ['combine_plan', 50],
    ['combine_grid', 12],
  ])('prompt/: every %s is the official one', (mode, cases) => {
    expect(tallyOf(tallies, 'prompt', mode)).toMatchObject({ status: 'passed', format: 'prompt', cases });
  });

  it('eval/: every recorded call is found', () => {
    const found = tallies.filter(({ format }) => format === 'eval');
    expect(found.map(({ mode }) => mode)).toContain('match_choice');
    expect(found.every(({ cases }) => cases > 0)).toBe(true);
  });
});

/** Overwrites bytes of a tensor in a copied vector file. */
async function tamper(file: string, tensor: string, change: (bytes: Buffer) => void): Promise<void> {
  const content = await readFile(file);
  const headerLength = Number(content.readBigUInt64LE(0));
  const header = JSON.parse(content.subarray(8, 8 + headerLength).toString()) as Record<
    string,
    { data_offsets: [number, number] }
  >;
  const [start, end] = header[tensor]!.data_offsets;
  change(content.subarray(8 + headerLength + start, 8 + headerLength + end));
  await writeFile(file, content);
}

describe('tampered vectors', () => {
  const name = 'text_prior_pivot_merge__s02_imgfirst_10_10.safetensors';

  async function copyOfKv(to: string): Promise<string> {
    const directory = path.join(scratch, to);
    const index = JSON.parse(await readFile(path.join(fixtures, 'kv', 'index.json'), 'utf8')) as {
      cases: { file: string }[];
    };
    index.cases = index.cases.filter(({ file }) => file === name);
    await cp(path.join(fixtures, 'kv', name), path.join(directory, name));
    await writeFile(path.join(directory, 'index.json'), JSON.stringify(index));
    return directory;
  }

  it.each([
    ['k_out', 'K or V differ', (bytes: Buffer) => bytes.writeFloatLE(bytes.readFloatLE(0) + 2e-5, 0)],
    [
      'keep_idx',
      'kept indices or merge targets differ',
      (bytes: Buffer) => bytes.writeInt32LE(bytes.readInt32LE(4), 0),
    ],
    [
      'merge_target',
      'kept indices or merge targets differ',
      (bytes: Buffer) => bytes.writeInt32LE(bytes.readInt32LE(0) + 1, 0),
    ],
    [
      'attn_colsum',
      'column sums differ',
      (bytes: Buffer) => bytes.writeFloatLE(bytes.readFloatLE(0) + 1e-3, 0),
    ],
  ])('a changed %s fails and is named', async (tensor, note, change) => {
    const directory = await copyOfKv(tensor);
    await tamper(path.join(directory, name), tensor, change);
    const [tally] = await verifyDirectories([directory]);
    expect(tally!.status).toBe('failed');
    expect(tally!.notes[0]).toContain(note);
    expect(tally!.notes[0]).toContain('text_prior_pivot_merge__s02');
  });

  it('a damaged vector file fails its mode and leaves the others standing', async () => {
    const directory = await copyOfKv('damaged');
    await writeFile(path.join(directory, name), 'short');
    const tallies = await verifyDirectories([directory, path.join(fixtures, 'backbones', 'llava-hf')]);
    expect(tallies.map(({ status }) => status)).toEqual(['failed', 'passed', 'passed']);
  });

  it('a damaged description fails instead of being passed over', async () => {
    const directory = await copyOfKv('description');
    await writeFile(path.join(directory, 'index.json'), '{"format": 1');
    const [tally] = await verifyDirectories([directory]);
    expect(tally).toMatchObject({ status: 'failed', format: 'kv' });
  });

  it('a directory without vectors is an error that says what was looked for', async () => {
    await expect(verifyDirectories([path.join(scratch, 'none')])).rejects.toThrow('cannot be read');
    const empty = await mkdtemp(path.join(scratch, 'empty-'));
    await expect(verifyDirectories([empty])).rejects.toThrow('no golden vectors found');
  });
});

describe('tampered prompt vectors', () => {
  type Vectors = Record<string, unknown>;

  /** A directory that holds one prompt case after a change. */
  async function promptsWith(name: string, change: (one: Vectors) => void): Promise<string> {
    const file = path.join(fixtures, 'prompt', 'prompt.json');
    const { cases } = JSON.parse(await readFile(file, 'utf8')) as { cases: (Vectors & { input: Vectors })[] };
    const one = cases.find(({ input }) => input['name'] === name)!;
    change(one);
    const directory = await mkdtemp(path.join(scratch, 'prompt-'));
    await writeFile(path.join(directory, 'prompt.json'), JSON.stringify({ cases: [one] }));
    return directory;
  }

  function change(part: string, field: string, value: unknown): (one: Vectors) => void {
    return (one) => {
      one[part] = { ...(one[part] as Vectors), [field]: value };
    };
  }

  it.each([
    ['output', 'context', 'Answer.', 'question', 'choices4: not as recorded: question'],
    ['output', 'raw_img_list', ['other.jpg'], 'question', 'choices4: not as recorded: images'],
    ['output', 'response', 'other', 'question', 'choices4: not as recorded: response'],
    ['output', 'sample_id', 77, 'question', 'choices4: not as recorded: sampleId'],
    ['collated', 'gt_response', ['other'], 'batch', 'choices4: not as recorded: response'],
    [
      'input',
      'task_instructions',
      [],
      'question',
      'choices4: sample 1, field task_instruction_id: there is no',
    ],
  ])('a changed %s.%s fails and is named', async (part, field, value, mode, note) => {
    const tallies = await verifyDirectories([await promptsWith('choices4', change(part, field, value))]);
    const tally = tallyOf(tallies, '', mode);
    expect(tally).toMatchObject({ status: 'failed', cases: 1 });
    expect(tally.notes).toEqual([expect.stringContaining(note)]);
  });

  it('a crash that is not reproduced fails, and so does a case without any result', async () => {
    const crash = await promptsWith('choices4', (one) => {
      one['error'] = { type: 'KeyError' };
    });
    const nothing = await promptsWith('choices4', (one) => {
      delete one['output'];
    });
    const tallies = await verifyDirectories([crash, nothing]);
    expect(tallies.filter(({ mode }) => mode === 'question').flatMap(({ notes }) => notes)).toEqual([
      'choices4: should fail as the official code does (KeyError)',
      'choices4: has neither output nor error',
    ]);
  });

  it.each([
    ['combine_plan', '"first_caption_index":4', '"first_caption_index":5', 'not as recorded: groups'],
    ['combine_plan', '"12-0.jpg"', '"12-1.jpg"', 'not as recorded: files'],
    ['combine_grid', '"cells":[[0,1],', '"cells":[[1,0],', 'not as recorded: cells'],
    ['combine_grid', '"Image 4"', '"Image 3"', 'not as recorded: captions'],
    ['combine_grid', '"width":8', '"width":12', 'not as recorded: columns'],
  ])('%s: %s turned into %s fails', async (mode, before, after, note) => {
    const text = await readFile(path.join(fixtures, 'prompt', 'combine.json'), 'utf8');
    const compact = JSON.stringify(JSON.parse(text));
    expect(compact).toContain(before);
    const directory = await mkdtemp(path.join(scratch, 'combine-'));
    await writeFile(path.join(directory, 'combine.json'), compact.replace(before, after));
    const tally = tallyOf(await verifyDirectories([directory]), '', mode);
    expect(tally.status).toBe('failed');
    expect(tally.notes).toEqual([expect.stringContaining(note)]);
  });

  it.each([
    ['{"cases": [', 'cannot be read as JSON'],
    ['{"cases": [{"input": {}}]}', 'field cases.0.input.name'],
  ])('a damaged description fails: %s', async (content, note) => {
    const directory = await mkdtemp(path.join(scratch, 'prompt-'));
    await writeFile(path.join(directory, 'prompt.json'), content);
    const [tally] = await verifyDirectories([directory]);
    expect(tally).toMatchObject({ status: 'failed', format: 'prompt', mode: 'all' });
    expect(tally!.notes[0]).toContain(note);
  });
});

describe('tampered evaluation vectors', () => {
  it('a changed output fails and names its row', async () => {
    const text = await readFile(path.join(fixtures, 'eval', 'match_choice.json'), 'utf8');
    const rows = (JSON.parse(text) as { output: string }[]).slice(0, 5);
    const changed = rows.map((row, index) => (index === 3 ? { ...row, output: `${row.output}?` } : row));
    const directory = await mkdtemp(path.join(scratch, 'eval-'));
    await writeFile(path.join(directory, 'match_choice.json'), JSON.stringify(changed));
    const [tally] = await verifyDirectories([directory]);
    expect(tally).toMatchObject({ status: 'failed', format: 'eval', mode: 'match_choice', cases: 5 });
    expect(tally!.notes).toEqual([expect.stringContaining('row 3')]);
  });
});

describe('a directory is told by the names in it', () => {
  it.each([
    [['prompt.json'], ['prompt']],
    [['combine.json', 'README.md'], ['prompt']],
    [['prompt.json', 'config.json', 'tokenizer.json', 'model.safetensors'], []],
    [['golden.json', 'config.json', 'golden.safetensors'], ['backbones']],
    [['golden.json', 'golden_sample.safetensors'], []],
    [['index.json', 'h2o__s01.safetensors'], ['kv']],
    [['process.json', 'other.json'], ['eval']],
    [['evaluate_rouge.json'], ['eval']],
    [['errors.json', 'score.json', 'notes.md'], ['eval']],
    [['errors.json', 'package.json'], []],
    [['datasets', 'datasets/ALFRED.json'], ['eval']],
    [['datasets', 'datasets/minimile', 'package.json', 'src'], []],
    [
      ['judge.json', 'prompt.json'],
      ['prompt', 'eval'],
    ],
    [['decoded.json', 'resized.json', 'grey.png'], []],
    [['vectors.json'], []],
    [['eval.json', 'eval_score.json', 'pred.json', 'result.json'], []],
    [[], []],
  ])('%j holds %j', (names, formats) => {
    expect(vectorFormats(names)).toEqual(formats);
  });
});
