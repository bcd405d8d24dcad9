import type { Method } from '../compression/method.js';
import { methods } from '../compression/registry.js';

/** The method that implements a mode of the published code (`kv_mode`), if there is one. */
export function methodOfMode(mode: string): Method | undefined {
  return Object.values<Method>(methods).find(({ released }) => released?.mode === mode);
}
