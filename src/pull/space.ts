import { mkdir, stat } from 'node:fs/promises';
import { UserError } from '../core/errors.js';
import { asDiskProblem, describeBytes } from '../hub/disk-space.js';

/** Bytes that will be written below a directory. */
export interface SpaceNeed {
  readonly directory: string;
  readonly bytes: number;
}

/**
 * Checks that the disks have room for everything together, before anything large is downloaded.
 *
 * @throws UserError saying how much is missing where
 */
export async function checkSpace(
  needs: readonly SpaceNeed[],
  freeBytes: (directory: string) => Promise<number>,
): Promise<void> {
  const byDisk = new Map<number, SpaceNeed>();
  for (const { directory, bytes } of needs) {
    await mkdir(directory, { recursive: true }).catch((error: unknown) => {
      throw asDiskProblem(error, directory);
    });
    const { dev } = await stat(directory);
    const before = byDisk.get(dev);
    byDisk.set(dev, { directory: before?.directory ?? directory, bytes: bytes + (before?.bytes ?? 0) });
  }
  for (const { directory, bytes } of byDisk.values()) {
    const free = await freeBytes(directory);
    if (bytes <= free) continue;
    const what = `some ${describeBytes(bytes)} are needed and ${describeBytes(free)} are free`;
    const fix = `free ${describeBytes(bytes - free)}, or give another LOOKM_CACHE, --checkpoint-dir or --out`;
    throw new UserError({ what, where: directory, fix });
  }
}
