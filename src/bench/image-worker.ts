import { parentPort, workerData } from 'node:worker_threads';
import { readImage } from '../backbone/decode-image.js';
import { fitImage, type ImageSettings, normaliseImage } from '../backbone/preprocess-image.js';
import { sha256 } from '../core/content-hash.js';
import { messageOf, type Problem, UserError } from '../core/errors.js';

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
  | { readonly kind: 'image'; readonly image: ImageInput }
  | { readonly kind: 'unusable'; readonly problem: Problem }
  | { readonly kind: 'bug'; readonly message: string }
);

async function answer({ id, file }: ImageRequest, settings: ImageSettings): Promise<ImageReply> {
  try {
    const fitted = fitImage(await readImage(file), settings);
    const image = { pixels: normaliseImage(fitted, settings), sha256: sha256(fitted.data) };
    return { id, kind: 'image', image };
  } catch (error) {
    if (error instanceof UserError) return { id, kind: 'unusable', problem: error.problem };
    return { id, kind: 'bug', message: messageOf(error) };
  }
}

/** Runs on a thread of its own: decodes and resizes images while the main thread is inside ONNX Runtime. */
parentPort?.on('message', async (request: ImageRequest) => {
  const reply = await answer(request, workerData as ImageSettings);
  const transferred = reply.kind === 'image' ? [reply.image.pixels.buffer as ArrayBuffer] : [];
  parentPort?.postMessage(reply, transferred);
});
