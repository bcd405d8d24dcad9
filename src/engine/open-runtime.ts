import { UserError } from '../core/errors.js';
import { type Device, requireDevice } from './devices.js';
import { nativeSessions } from './native/native-sessions.js';
import { loadOrtApi } from './native/ort-library.js';
import { portableSessions } from './portable-sessions.js';
import { Runtime } from './runtime.js';
import type { SessionHost } from './sessions.js';

/** `auto`: native where it is known to be faster and loads, else portable. */
export const attentionChoices = ['auto', 'portable', 'native'] as const;
export type AttentionChoice = (typeof attentionChoices)[number];

export interface EngineRequest {
  readonly attention: AttentionChoice;
  readonly device: Device;
}

/** What a request came to, as far as answers may differ by it. */
export interface EngineKind {
  readonly attention: SessionHost['kind'];
  readonly device: Device;
}

/** Where native sessions were measured. */
const measuredPlatform = 'linux-x64';

/**
 * @param options.processors of the threads, the main one's first; `null` = where the system puts them
 * @throws UserError when the sessions or the device asked for are not available
 */
export async function openRuntime({
  threads,
  processors = null,
  ...request
}: EngineRequest & {
  readonly threads: number;
  readonly processors?: readonly number[] | null;
}): Promise<Runtime> {
  return new Runtime({ threads, processors, host: await chooseSessions(request) });
}

/** What `openRuntime` would open. */
export async function chooseEngine(request: EngineRequest): Promise<EngineKind> {
  const { kind, device } = await chooseSessions(request);
  return { attention: kind, device };
}

async function chooseSessions({ attention, device }: EngineRequest): Promise<SessionHost> {
  const portable = portableSessions(device);
  if (device !== 'cpu') {
    if (attention === 'native') {
      const what = `native attention computes on the CPU, not on ${device}`;
      throw new UserError({ what, fix: 'use attention: auto, or device: cpu' });
    }
    await requireDevice(device);
    return portable;
  }
  switch (attention) {
    case 'portable':
      return portable;
    case 'native':
      return nativeSessions(await loadOrtApi());
    case 'auto':
      return `${process.platform}-${process.arch}` === measuredPlatform
        ? loadOrtApi().then(nativeSessions, () => portable)
        : portable;
  }
}
