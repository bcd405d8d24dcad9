import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sha256 } from '../../src/core/content-hash.js';
import { UserError } from '../../src/core/errors.js';
import { PartFile } from '../../src/hub/part-file.js';

const signal = new AbortController().signal;

function open(file: string, wholeBytes = 10): Promise<PartFile> {
  return PartFile.open(file, { checksum: { algorithm: 'sha256', hex: '' }, wholeBytes, signal });
}

async function scratchFile(): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'lookm-part-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return path.join(directory, 'part');
}

test('a part that is opened again knows the hash of what it holds', async () => {
  const file = await scratchFile();
  const first = await open(file);
  await first.append(Buffer.from('hello'));
  await first.close();
  const second = await open(file);
  expect(second.bytes).toBe(5);
  await second.append(Buffer.from('world'));
  expect(second.digest()).toBe(sha256(Buffer.from('helloworld')));
  await second.close();
  expect(await readFile(file, 'utf8')).toBe('helloworld');
});

test('a part longer than its file starts over', async () => {
  const file = await scratchFile();
  await writeFile(file, 'much longer than that');
  const part = await open(file);
  expect(part.bytes).toBe(0);
  await part.close();
  expect(await readFile(file, 'utf8')).toBe('');
});

test.skipIf(process.platform !== 'linux')('a full disk is named, with what to do', async () => {
  // The device that every write finds full.
  const part = await open('/dev/full');
  const refused = part.append(Buffer.from('x'));
  await expect(refused).rejects.toThrow(
    '/dev/full: the disk is full; free some space and run the command again',
  );
  await expect(refused).rejects.toBeInstanceOf(UserError);
  await part.close();
});
