import { nativeSessions } from '../../src/engine/native/native-sessions.js';
import { loadOrtApi } from '../../src/engine/native/ort-library.js';
import { portableSessions } from '../../src/engine/portable-sessions.js';
import { Runtime } from '../../src/engine/runtime.js';

/** The ways to ONNX Runtime's sessions, which all tests of kernels and of the engine go through. */
export const sessionKinds = ['portable', 'native'] as const;

export async function openRuntime(kind: (typeof sessionKinds)[number], threads: number): Promise<Runtime> {
  const host = kind === 'native' ? nativeSessions(await loadOrtApi()) : portableSessions('cpu');
  return new Runtime({ threads, host });
}
