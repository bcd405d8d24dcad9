import * as ort from 'onnxruntime-node';
import { messageOf, UserError } from '../core/errors.js';
import { GraphBuilder } from '../onnx/graph-builder.js';

/** What computes the network: the CPU, or a GPU through one of ONNX Runtime's execution providers. */
export const devices = ['cpu', 'webgpu', 'cuda'] as const;
export type Device = (typeof devices)[number];

type Gpu = Exclude<Device, 'cpu'>;

/** What a device needs where it does not start. */
const remedies: Readonly<Record<Gpu, string>> = Object.freeze({
  webgpu: 'install a driver with Vulkan, Metal or Direct3D 12 support, see docs/gpu.md',
  cuda: 'install CUDA 12, cuDNN 9 and the provider (ONNXRUNTIME_NODE_INSTALL=cuda12 npm rebuild onnxruntime-node), see docs/gpu.md',
});

/** Whether this build of onnxruntime-node knows the provider; whether it starts is another question. */
export function isBuiltIn(device: Device): boolean {
  return ort.listSupportedBackends().some(({ name }) => name === device);
}

/**
 * Starts a device with a graph of one operator.
 *
 * @throws UserError when this build of onnxruntime-node lacks the device, or the device does not start
 */
export async function requireDevice(device: Device): Promise<void> {
  if (device === 'cpu') return;
  if (!isBuiltIn(device)) {
    const what = `onnxruntime-node for ${process.platform}-${process.arch} cannot compute on ${device}`;
    throw new UserError({ what, fix: 'use another device, see docs/gpu.md' });
  }
  prepare(device);
  const graph = new GraphBuilder();
  graph.input('x', 'f32', [1]);
  graph.op('Neg', ['x'], {}, 'y');
  graph.output('y', 'f32', [1]);
  try {
    const options = { executionProviders: [device], logSeverityLevel: 4 } as const;
    const session = await ort.InferenceSession.create(graph.bytes(), options);
    await session.run({ x: new ort.Tensor('float32', Float32Array.of(1), [1]) });
    await session.release();
  } catch (cause) {
    const reason = messageOf(cause).replace(/^\/\S+:\d+ .* was false\. /s, '');
    throw new UserError({ what: `${device} does not start: ${reason}`, fix: remedies[device] }, { cause });
  }
}

/** What must be set before the first session of the process. */
function prepare(device: Gpu): void {
  // The reason comes with the error; the runtime would also log it.
  ort.env.logLevel = 'fatal';
  // Float32 products in full: by default CUDA rounds their factors to 10 bits, and the binding has no option for it.
  if (device === 'cuda') process.env['NVIDIA_TF32_OVERRIDE'] ??= '0';
}
