import { type DecodeAttention, openDecodeAttention } from './decode-attention.js';
import { openInPlaceDecodeAttention } from './in-place-decode-attention.js';
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
  const open = inPlace ? openInPlaceDecodeAttention : openDecodeAttention;
  const decode = {
    float32: await open(runtime, shape, { type: 'float32', threads: decodeThreads }),
    int8: await open(runtime, shape, { type: 'int8', threads: decodeThreads }),
  };
  return {
    prefill: await openPrefillAttention(runtime, shape, mostKeys),
    decode: (rows, cache) => decode[cache.type](rows, cache),
  };
}
