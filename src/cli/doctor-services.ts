import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Device } from '../config/protocols.js';
import { messageOf } from '../core/errors.js';
import type { Check, DoctorServices } from './doctor.js';

/** How ONNX Runtime is reached, and why not natively. */
async function attentionCheck(kind: 'portable' | 'native'): Promise<Check> {
  if (kind === 'native') return { name: 'attention', ok: true, detail: 'native' };
  const { loadOrtApi } = await import('../engine/native/ort-library.js');
  const reason = await loadOrtApi().then(() => 'native too, with --attention native', messageOf);
  return { name: 'attention', ok: true, detail: `portable; ${reason}` };
}

/** A runtime that does not even load, or has another version, or a device that does not start, is a finding. */
async function selfTest(device: Device): ReturnType<DoctorServices['selfTest']> {
  try {
    const { openRuntime } = await import('../engine/open-runtime.js');
    const { devices, isBuiltIn } = await import('../engine/devices.js');
    const { requiredRuntimeVersion } = await import('../engine/portable-sessions.js');
    const { selfTest: testOperators } = await import('../engine/self-test.js');
    const runtime = await openRuntime({ threads: availableParallelism(), attention: 'auto', device });
    const loaded = {
      name: `onnxruntime-node ${requiredRuntimeVersion}`,
      ok: true,
      detail: `loaded, knows ${devices.filter(isBuiltIn).join(', ')}; tested on ${device}`,
    };
    try {
      return [loaded, await attentionCheck(runtime.kind), ...(await testOperators(runtime))];
    } finally {
      await runtime.close();
    }
  } catch (error) {
    return [{ name: 'onnxruntime-node', ok: false, detail: messageOf(error) }];
  }
}

export const doctorServices: DoctorServices = Object.freeze({
  selfTest,
  readCpuInfo: () => readFile('/proc/cpuinfo', 'utf8').catch(() => ''),
});
