import { open, rename, rm } from 'node:fs/promises';

/**
 * Replaces a file as a whole: readers see the old content or the new one, also after a crash. Bytes, and a text too
 * long for one string, come in pieces.
 */
export async function writeAtomically(
  file: string,
  content: string | Iterable<string | Uint8Array>,
): Promise<void> {
  const pieces = typeof content === 'string' ? [content] : content;
  const draft = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(draft, 'w');
    try {
      for (const piece of pieces) await handle.appendFile(piece);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}
