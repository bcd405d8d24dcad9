import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | null = null;

/** Frees whatever nothing refers to any more, so that what the process then holds in memory is in use. */
export function collectGarbage(): void {
  if (collect === null) {
    setFlagsFromString('--expose-gc');
    const exposed: unknown = runInNewContext('gc');
    if (typeof exposed !== 'function') throw new TypeError('V8 exposes no garbage collection');
    collect = () => void exposed();
  }
  collect();
}
