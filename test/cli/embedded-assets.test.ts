import path from 'node:path';
import { expect, test } from 'vitest';
import { embeddedAssets, hashDirectory } from '../../src/cli/embedded-assets.js';

const packageRoot = path.resolve(import.meta.dirname, '../..');

test.each(Object.entries(embeddedAssets))('%s holds what the hash in the code says', async (name, hash) => {
  expect(await hashDirectory(path.join(packageRoot, name))).toBe(hash);
});
