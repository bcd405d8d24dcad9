import { fileURLToPath } from 'node:url';

/** Absolute path of a file under the repository root. */
export function repositoryPath(relative: string): string {
  return fileURLToPath(new URL(`../../${relative}`, import.meta.url));
}

/** Absolute path of a file under test/fixtures. */
export function fixturePath(relative: string): string {
  return repositoryPath(`test/fixtures/${relative}`);
}
