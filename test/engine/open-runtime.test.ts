import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../src/core/errors.js';
import { chooseEngine, openRuntime } from '../../src/engine/open-runtime.js';

const platform = `${process.platform}-${process.arch}`;
const library = createRequire(import.meta.url).resolve('onnxruntime-node');
const cudaProvider = path.join(
  path.dirname(library),
  `../bin/napi-v6/${process.platform}/${process.arch}/libonnxruntime_providers_cuda.so`,
);

describe('the engine of a run', () => {
  it('reaches ONNX Runtime natively on Linux x64 unless told otherwise', async () => {
    const attention = platform === 'linux-x64' ? 'native' : 'portable';
    expect(await chooseEngine({ attention: 'auto', device: 'cpu' })).toEqual({ attention, device: 'cpu' });
    expect(await chooseEngine({ attention: 'portable', device: 'cpu' })).toEqual({
      attention: 'portable',
      device: 'cpu',
    });
  });

  it('is what the request came to, and can be asked for again', async () => {
    const engine = await chooseEngine({ attention: 'auto', device: 'cpu' });
    const runtime = await openRuntime({ threads: 1, ...engine });
    expect({ attention: runtime.kind, device: runtime.device }).toEqual(engine);
    await runtime.close();
  });

  it('does not attend natively on a GPU', async () => {
    await expect(chooseEngine({ attention: 'native', device: 'cuda' })).rejects.toThrow(
      'native attention computes on the CPU, not on cuda; use attention: auto, or device: cpu',
    );
  });

  it.skipIf(existsSync(cudaProvider))('says what CUDA needs where its provider is missing', async () => {
    const refusal = await chooseEngine({ attention: 'auto', device: 'cuda' }).catch(
      (error: unknown) => error,
    );
    expect(refusal).toBeInstanceOf(UserError);
    expect(String(refusal)).toMatch(
      platform === 'linux-x64'
        ? /cuda does not start: .+; install CUDA 12, cuDNN 9/
        : /cannot compute on cuda/,
    );
  });
});
