import { type DecodeAttention, openDecodeAttention } from './decode-attention.js';
import { openInPlaceDecodeAttention } from './in-place-decode-attention.js';
import { openInt8DecodeAttention } from './int8-decode-attention.js';
import { openInt8InPlaceAttention } from './int8-in-place-attention.js';
import { isGroupable, openPrefillAttention } from './prefill-attention.js';
import type { AttentionShape, PrefillAttention } from './prefill-chunk.js';
import type { Runtime } from './runtime.js';

/** The attention of a model, in weightless graphs that all layers share. */
export interface Attention {
  readonly prefill: PrefillAttention;
  readonly decode: DecodeAttention;
}

/**
 * The kernels that are fastest for a shape where outputs are copied (`portable`), and where they can be written over
 * inputs (`native`): there the grouped operator needs no copy of a cache. Decoding attends on the CPU whatever the
 * device, because the caches lie in its memory.
 *
 * @param options.mostKeys length of the longest prompt
 * @param options.decodeThreads threads of a decode step
 */
export async function openAttention(
  runtime: Runtime,
  shape: AttentionShape,
  {
    mostKeys,
    decodeThreads = runtime.threads,
  }: { readonly mostKeys: number; readonly decodeThreads?: number },
): Promise<Attention> {
  const inPlace = runtime.kind === 'native' && isGroupable(shape);
  const open = inPlace
    ? { float32: openInPlaceDecodeAttention, int8: openInt8InPlaceAttention }
    : { float32: openDecodeAttention, int8: openInt8DecodeAttention };
  const decode = {
    float32: await open.float32(runtime, shape, decodeThreads),
    int8: await open.int8(runtime, shape, decodeThreads),
  };
  return {
    prefill: await openPrefillAttention(runtime, shape, mostKeys),
    decode: (rows, cache) => decode[cache.type](rows, cache),
  };
}
