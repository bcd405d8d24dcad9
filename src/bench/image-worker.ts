import { parentPort, workerData } from 'node:worker_threads';
import { type ImageSettings, normaliseImage } from '../backbone/preprocess-image.js';
import { messageOf, type Problem, UserError } from '../core/errors.js';
import { ImageStore } from './image-store.js';

/** What the vision tower gets of an image. */
export interface ImageInput {
  /** [3, S, S]. */
  readonly pixels: Float32Array;
  /** Hash of the 8-bit samples they are made of. */
  readonly sha256: string;
}

export interface ImageRequest {
  readonly id: number;
  readonly file: string;
}

export type ImageReply = { readonly id: number } & (
  | { readonly kind: 'image'; readonly image: ImageInput; readonly reused: boolean }
  | { readonly kind: 'unusable'; readonly problem: Problem }
  | { readonly kind: 'bug'; readonly message: string }
);

const settings = workerData as ImageSettings;
const store = new ImageStore(settings);

/** The floats are made for each request, as they leave this thread with the reply. */
async function answer({ id, file }: ImageRequest): Promise<ImageReply> {
  try {
    const { image, sha256, reused } = await store.read(file);
    const pixels = normaliseImage(image, settings);
    return { id, kind: 'image', image: { pixels, sha256 }, reused };
  } catch (error) {
    if (error instanceof UserError) return { id, kind: 'unusable', problem: error.problem };
    return { id, kind: 'bug', message: messageOf(error) };
  }
}

/** Runs on a thread of its own: decodes and resizes images while the main thread is inside ONNX Runtime. */
parentPort?.on('message', async (request: ImageRequest) => {
  const reply = await answer(request);
  const transferred = reply.kind === 'image' ? [reply.image.pixels.buffer as ArrayBuffer] : [];
  parentPort?.postMessage(reply, transferred);
});
