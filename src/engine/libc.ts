import { messageOf } from '../core/errors.js';

/** Functions of the C library that Node.js does not offer. */
export interface Libc {
  /** Binds the calling thread to the processors of a mask; 0 = done. */
  readonly setAffinity: (thread: 0, bytes: number, mask: Uint8Array) => number;
  /** Gives memory that was freed back to the system; `null` where the library has no such function. */
  readonly trim: ((keep: number) => number) | null;
}

/** The C library of this process, or why it cannot be reached: koffi is optional, and only Linux is known to fit. */
export async function loadLibc(): Promise<{ readonly libc: Libc } | { readonly reason: string }> {
  if (process.platform !== 'linux') return { reason: 'only Linux is known to do that' };
  try {
    const koffi = await import('koffi');
    const library = koffi.load(null);
    return {
      libc: {
        setAffinity: library.func('int sched_setaffinity(int, size_t, const void *)'),
        trim: optional(() => library.func('int malloc_trim(size_t)')),
      },
    };
  } catch (error) {
    return { reason: `koffi does not load (${messageOf(error)})` };
  }
}

function optional<T>(find: () => T): T | null {
  try {
    return find();
  } catch {
    return null;
  }
}
