import { readFile } from 'node:fs/promises';
import { loadLibc } from './libc.js';

/** Where the threads of a runtime run. */
export type Pinning =
  /** A logical processor each; the main thread's comes first. */
  | { readonly kind: 'pinned'; readonly processors: readonly number[] }
  /** Where the system puts them. */
  | { readonly kind: 'free'; readonly reason: string };

/** Reads `0-3,8` as the kernel writes lists of processors. */
export function parseProcessorList(text: string): number[] {
  return text
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first, last = first] = part.split('-').map(Number);
      return Array.from({ length: last! - first! + 1 }, (_, i) => first! + i);
    });
}

/** Processors that this process may use; `null` where the system does not say. */
async function allowedProcessors(): Promise<number[] | null> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
  return list === undefined ? null : parseProcessorList(list);
}

/** Chooses a processor of its own for each of so many threads, without pinning anything yet. */
export async function choosePinning(threads: number): Promise<Pinning> {
  const allowed = await allowedProcessors();
  if (allowed === null) return { kind: 'free', reason: 'only Linux is known to pin threads' };
  if (allowed.length < threads) {
    return { kind: 'free', reason: `${threads} threads on ${allowed.length} processors` };
  }
  return { kind: 'pinned', processors: allowed.slice(0, threads) };
}

/** Bits of the mask that `sched_setaffinity` takes: more processors than any machine has. */
const maskBits = 8192;

/**
 * Binds the main thread to a processor. Threads that it starts afterwards inherit that, so everything else should be
 * running already.
 *
 * @returns null, or why it cannot be done here
 */
export async function pinMainThread(processor: number): Promise<string | null> {
  const loaded = await loadLibc();
  if ('reason' in loaded) return loaded.reason;
  const mask = new Uint8Array(maskBits / 8);
  mask[processor >> 3] = 1 << (processor & 7);
  const failed = loaded.libc.setAffinity(0, mask.byteLength, mask) !== 0;
  return failed ? 'the system refuses to pin a thread' : null;
}
