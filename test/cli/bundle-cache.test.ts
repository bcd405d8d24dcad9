import { mkdir, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { backboneKind, checkpointFingerprint, findCachedBundle } from '../../src/cli/bundle-cache.js';
import { scratch } from './fake-shell.js';

describe('the fingerprint of a checkpoint', () => {
  async function files(contents: readonly string[]): Promise<{ path: string; name: string }[]> {
    const directory = await scratch();
    const named = contents.map((content, i) => ({
      name: `${i}.json`,
      path: path.join(directory, `${i}.json`),
      content,
    }));
    for (const { path: file, content } of named) await writeFile(file, content);
    return named;
  }

  test('depends on names and contents, not on place, order or time', async () => {
    const [a, b] = [await files(['x', 'y']), await files(['x', 'y'])];
    await utimes(b[0]!.path, 1, 1);
    expect(await checkpointFingerprint([...b].reverse())).toBe(await checkpointFingerprint(a));
    expect(await checkpointFingerprint(await files(['x', 'z']))).not.toBe(await checkpointFingerprint(a));
    expect(await checkpointFingerprint(await files(['xy', '']))).not.toBe(await checkpointFingerprint(a));
    expect(await checkpointFingerprint(a)).toMatch(/^[0-9a-f]{12}$/);
  });
});

test('a directory is a bundle, a checkpoint or a mistake', async () => {
  const directory = await scratch();
  await expect(backboneKind(directory, '--backbone')).rejects.toThrow(
    /^--backbone: .* holds neither bundle\.json/,
  );
  await writeFile(path.join(directory, 'config.json'), '{}');
  expect(await backboneKind(directory, '')).toBe('checkpoint');
  await writeFile(path.join(directory, 'bundle.json'), '{}');
  expect(await backboneKind(directory, '')).toBe('bundle');
});

test('a cached bundle that is missing, of another format or damaged is converted again', async () => {
  const directory = path.join(await scratch(), 'bundle');
  expect(await findCachedBundle(directory)).toBeNull();
  await mkdir(directory);
  expect(await findCachedBundle(directory)).toBeNull();
  await writeFile(path.join(directory, 'bundle.json'), '{"format": 0}');
  expect(await findCachedBundle(directory)).toBeNull();
});
