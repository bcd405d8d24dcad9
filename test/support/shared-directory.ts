import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';

/** A fresh directory for all tests of a file or a `describe`, in whose body or `beforeAll` it is made. */
export function sharedDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'lookm-shared-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
