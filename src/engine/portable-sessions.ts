import * as ort from 'onnxruntime-node';
import { UserError } from '../core/errors.js';
import type { Device } from './devices.js';
import { configEntries, type SessionHost } from './sessions.js';

/** The one version whose operators, copies and threading were measured; other versions may answer differently. */
export const requiredRuntimeVersion = '1.30.0';

/**
 * Sessions as onnxruntime-node gives them. Its runs copy every output.
 *
 * @param device one that starts, see `requireDevice`
 * @throws UserError when another version of onnxruntime-node is installed
 */
export function portableSessions(device: Device): SessionHost {
  const version = ort.env.versions.node;
  if (version !== requiredRuntimeVersion) {
    throw new UserError({
      what: `onnxruntime-node ${version ?? '(unknown version)'} is installed, ${requiredRuntimeVersion} is required`,
      fix: 'run npm ci in the lookm directory',
    });
  }
  return {
    kind: 'portable',
    device,
    async open(model, wanted) {
      const { threads, keepsWorkspace, onDevice } = wanted;
      const options: ort.InferenceSession.SessionOptions = {
        executionProviders: [onDevice ? device : 'cpu'],
        intraOpNumThreads: threads,
        interOpNumThreads: 1,
        enableCpuMemArena: keepsWorkspace,
        logSeverityLevel: 4,
        extra: configEntries(wanted),
      };
      const session =
        typeof model === 'string'
          ? await ort.InferenceSession.create(model, options)
          : await ort.InferenceSession.create(model, options);
      return {
        run: (feeds, { outputs }) =>
          outputs === undefined ? session.run(feeds) : session.run(feeds, outputs),
        release: () => session.release(),
      };
    },
  };
}
