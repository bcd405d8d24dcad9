import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeDirectory } from '../../src/convert/bundle-writer.js';
import { scratchDirectory } from '../checkpoint/scratch-directory.js';

test('what crashed conversions left beside a bundle is removed, and nothing else', async () => {
  const root = scratchDirectory();
  const { pid: gone } = spawnSync(process.execPath, ['--version']);
  const id = '0123456789ab';
  const left = [`.int4.part-${gone}-${id}`, `.int4.old-${gone}-${id}`];
  const others = [
    `.int4.part-${process.pid}-${id}`,
    `.fp16.part-${gone}-${id}`,
    `.int4.part-${gone}-mine`,
    'int4.part',
  ];
  for (const name of [...left, ...others]) {
    await mkdir(join(root, name));
    await writeFile(join(root, name, 'weights.bin'), 'large');
  }
  await writeDirectory(join(root, 'int4'), async (dir) => {
    await writeFile(join(dir, 'bundle.json'), '{}');
  });
  expect((await readdir(root)).sort()).toEqual(['int4', ...others].sort());
});
