import { readFile } from 'node:fs/promises';
import { messageOf } from '../core/errors.js';
import type { DoctorServices } from './doctor.js';

/** A runtime that does not even load is a finding, not a crash. */
async function selfTest(): ReturnType<DoctorServices['selfTest']> {
  try {
    return await (await import('../engine/self-test.js')).selfTest();
  } catch (error) {
    return [{ name: 'onnxruntime-node', ok: false, detail: messageOf(error) }];
  }
}

export const doctorServices: DoctorServices = Object.freeze({
  selfTest,
  readCpuInfo: () => readFile('/proc/cpuinfo', 'utf8').catch(() => ''),
});
