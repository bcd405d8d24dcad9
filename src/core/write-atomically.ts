import { open, rename, rm } from 'node:fs/promises';

/**
 * Replaces a file as a whole: readers see the old text or the new one, also after a crash. A text too long for one
 * string may come in pieces.
 */
export async function writeAtomically(file: string, text: string | Iterable<string>): Promise<void> {
  const pieces = typeof text === 'string' ? [text] : text;
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
