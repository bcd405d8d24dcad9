import { createRequire } from 'node:module';
import path from 'node:path';
import { messageOf, UserError } from '../../core/errors.js';
import { requiredRuntimeVersion } from '../portable-sessions.js';
import { bindOrtApi, type OrtApi } from './ort-api.js';

/** The shared library inside onnxruntime-node, by platform. */
const libraryNames: Readonly<Partial<Record<NodeJS.Platform, string>>> = Object.freeze({
  linux: 'libonnxruntime.so.1',
  darwin: `libonnxruntime.${requiredRuntimeVersion}.dylib`,
});

let loading: Promise<OrtApi> | null = null;

/**
 * The C API of the ONNX Runtime that onnxruntime-node brings, through the foreign-function interface of koffi; loaded
 * once a process and never unloaded.
 *
 * @throws UserError where there is no such library for this platform, or koffi or the library does not load
 */
export function loadOrtApi(): Promise<OrtApi> {
  loading ??= load();
  return loading;
}

async function load(): Promise<OrtApi> {
  const name = libraryNames[process.platform];
  const fix = 'use --attention portable';
  if (name === undefined) {
    throw new UserError({ what: `native attention does not run on ${process.platform}`, fix });
  }
  const root = path.dirname(createRequire(import.meta.url).resolve('onnxruntime-node/package.json'));
  const file = path.join(root, 'bin', 'napi-v6', process.platform, process.arch, name);
  try {
    return bindOrtApi(await import('koffi'), file, requiredRuntimeVersion);
  } catch (cause) {
    const what = `native attention is not available: ${messageOf(cause)}`;
    throw new UserError({ what, fix: `install optional packages too (npm ci), or ${fix}` }, { cause });
  }
}
