import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { messageOf } from '../core/errors.js';
import type { DoctorServices } from './doctor.js';

/** A runtime that does not even load, or has another version, is a finding and not a crash. */
async function selfTest(): ReturnType<DoctorServices['selfTest']> {
  try {
    const { Runtime, requiredRuntimeVersion } = await import('../engine/runtime.js');
    const { selfTest: testOperators } = await import('../engine/self-test.js');
    const runtime = new Runtime({ threads: availableParallelism() });
    const loaded = { name: `onnxruntime-node ${requiredRuntimeVersion}`, ok: true, detail: 'loaded' };
    try {
      return [loaded, ...(await testOperators(runtime))];
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
