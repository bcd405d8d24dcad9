import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ModeTally } from '../../src/verify/tally.js';
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

  it('fail nowhere', () => {
    expect(tallies.filter(({ status }) => status === 'failed')).toEqual([]);
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

  it('modes without a method are skipped, never passed', () => {
    const tally = tallyOf(tallies, 'llava', 'snapkv');
    expect(tally).toMatchObject({ status: 'skipped', worstError: null, identicalTokens: null });
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
