import { expect } from 'vitest';
import { openTensorFiles } from '../../src/checkpoint/tensor-files.js';
import { UserError } from '../../src/core/errors.js';

/** The one line that opening a weight file is refused with, without the path it starts with. */
export async function refusalOf(path: string): Promise<string> {
  const failure = await openTensorFiles([path]).then(
    (files) => files.close(),
    (error: unknown) => error,
  );
  if (!(failure instanceof UserError)) throw new Error(`expected a UserError, got ${failure}`);
  expect(failure.message.startsWith(`${path}: `)).toBe(true);
  expect(failure.message).not.toContain('\n');
  expect(failure.problem.fix).toBeDefined();
  return failure.message.slice(path.length + 2);
}
