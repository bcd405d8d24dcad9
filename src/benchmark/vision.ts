import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findMlpProjector } from '../checkpoint/projectors/mlp2x-gelu.js';
import { clipLarge, internVit6b, publishedImageSize } from '../checkpoint/random/published-towers.js';
import { findClipTower } from '../checkpoint/towers/clip-weights.js';
import { findInternVitTower } from '../checkpoint/towers/internvit-weights.js';
import { planProjector } from '../convert/projectors/registry.js';
import { planTower } from '../convert/towers/registry.js';
import { visionGraph } from '../convert/vision-graph.js';
import { floats, type Runtime } from '../engine/runtime.js';
import { ExternalWeightFile } from '../onnx/external-weights.js';
import type { Measured } from './benchmark.js';
import { sevenB } from './decoder-shape.js';
import { type Contender, timeInterleaved } from './interleaved.js';
import { formatName } from './random-decoder.js';
import { anyTensor, randomStore, type TimedFormat } from './random-weights.js';
import { newDirectory, withModelDirectory } from './temporary-models.js';

/** CLIP ViT-L/14 up to its last layer but one, and two of the 45 layers of InternViT-6B that are used. */
const towers = {
  'CLIP ViT-L/14': findClipTower(anyTensor, '', clipLarge),
  '2 layers of InternViT-6B': findInternVitTower(anyTensor, '', { ...internVit6b, layers: 2 }),
} as const;

const formats = {
  'CLIP ViT-L/14': [
    { dtype: 'fp32' },
    { dtype: 'int8', blockSize: 128 },
    { dtype: 'int4', blockSize: 32 },
    { dtype: 'int4', blockSize: 128 },
  ],
  '2 layers of InternViT-6B': [{ dtype: 'fp32' }, { dtype: 'int8', blockSize: 128 }],
} as const satisfies Record<keyof typeof towers, readonly TimedFormat[]>;

/** Vision towers with the projector of LLaVA-1.5-7B on one image. */
export async function benchmarkVision(runtime: Runtime, rounds: number): Promise<Measured> {
  return withModelDirectory(async (directory) => {
    const contenders: Contender[] = [];
    for (const kind of Object.keys(towers) as (keyof typeof towers)[]) {
      for (const format of formats[kind]) {
        contenders.push({
          name: `${kind}, ${formatName(format)}`,
          run: await openTower(
            runtime,
            await newDirectory(directory, `${kind.replaceAll('/', ' ')} ${formatName(format)}`),
            kind,
            format,
          ),
          beside: [`${kind}, fp32`],
        });
      }
    }
    return { timings: await timeInterleaved(contenders, rounds) };
  });
}

async function openTower(
  runtime: Runtime,
  directory: string,
  kind: keyof typeof towers,
  format: TimedFormat,
): Promise<() => Promise<void>> {
  const tower = towers[kind];
  const { shape } = tower;
  const sizes = { from: shape.hiddenSize, to: sevenB.hiddenSize, tokens: shape.patches };
  const projector = findMlpProjector(anyTensor, { first: 'first.', second: 'second.' }, sizes);
  const file = await ExternalWeightFile.create(directory, 'weights.bin');
  const store = randomStore(file, format);
  const addTower = await planTower(tower).store(store);
  const addProjector = await planProjector(projector).store(store);
  await file.finish();
  const vision = { ...shape, textSize: sevenB.hiddenSize, tokensPerImage: shape.patches };
  const model = path.join(directory, 'vision.onnx');
  await writeFile(model, visionGraph(vision, { addTower, addProjector }));
  const graph = await runtime.open(model);
  const pixels = Float32Array.from(
    { length: 3 * publishedImageSize ** 2 },
    (_, i) => ((i * 7919) % 1009) / 1009 - 0.5,
  );
  const feeds = { pixels: floats(pixels, [1, 3, publishedImageSize, publishedImageSize]) };
  return async () => void (await graph.run(feeds, { outputs: ['features'] }));
}
