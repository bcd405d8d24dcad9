import { createRequire } from 'node:module';
import protobuf from 'protobufjs/minimal.js';

/** Numbers of sentencepiece_model.proto. */
const types = { normal: 1, unknown: 2, control: 3, 'user-defined': 4, unused: 5, byte: 6 } as const;

export interface WrittenPiece {
  readonly text: string | Uint8Array;
  readonly score?: number;
  /** Normal when left out. */
  readonly type?: keyof typeof types | number;
}

export interface WrittenModel {
  readonly pieces: readonly WrittenPiece[];
  readonly modelType?: number;
  readonly byteFallback?: boolean;
  readonly suffix?: boolean;
  readonly normalizer?: {
    readonly charsmap?: Uint8Array;
    readonly dummyPrefix?: boolean;
    readonly removesSpaces?: boolean;
    readonly escapesSpaces?: boolean;
  } | null;
  readonly denormalizerCharsmap?: Uint8Array;
}

const tag = (field: number, wire: 0 | 2 | 5): number => (field << 3) | wire;

/** The bytes of a SentencePiece model, written field by field; what is not given is as in Llama's. */
export function sentencePieceFile(model: WrittenModel): Uint8Array {
  const file = protobuf.Writer.create();
  for (const { text, score = 0, type = 'normal' } of model.pieces) {
    const piece = protobuf.Writer.create();
    if (typeof text === 'string') piece.uint32(tag(1, 2)).string(text);
    else piece.uint32(tag(1, 2)).bytes(text);
    piece.uint32(tag(2, 5)).float(score);
    piece.uint32(tag(3, 0)).int32(typeof type === 'number' ? type : types[type]);
    file.uint32(tag(1, 2)).bytes(piece.finish());
  }
  const trainer = protobuf.Writer.create();
  trainer.uint32(tag(3, 0)).int32(model.modelType ?? 2);
  trainer.uint32(tag(4, 0)).int32(model.pieces.length);
  trainer.uint32(tag(24, 0)).bool(model.suffix ?? false);
  trainer.uint32(tag(35, 0)).bool(model.byteFallback ?? true);
  file.uint32(tag(2, 2)).bytes(trainer.finish());
  if (model.normalizer !== null) {
    const { charsmap, dummyPrefix, removesSpaces, escapesSpaces } = model.normalizer ?? {};
    const normalizer = protobuf.Writer.create();
    normalizer.uint32(tag(1, 2)).string('identity');
    normalizer.uint32(tag(2, 2)).bytes(charsmap ?? new Uint8Array(0));
    normalizer.uint32(tag(3, 0)).bool(dummyPrefix ?? true);
    normalizer.uint32(tag(4, 0)).bool(removesSpaces ?? false);
    normalizer.uint32(tag(5, 0)).bool(escapesSpaces ?? true);
    file.uint32(tag(3, 2)).bytes(normalizer.finish());
  }
  if (model.denormalizerCharsmap !== undefined) {
    const denormalizer = protobuf.Writer.create().uint32(tag(2, 2)).bytes(model.denormalizerCharsmap);
    file.uint32(tag(5, 2)).bytes(denormalizer.finish());
  }
  return file.finish();
}

/** `<unk>`, `<s>`, `</s>` and the 256 bytes: ids 0 to 258 of Llama's vocabulary. */
export const basicPieces: readonly WrittenPiece[] = [
  { text: '<unk>', type: 'unknown' },
  { text: '<s>', type: 'control' },
  { text: '</s>', type: 'control' },
  ...Array.from({ length: 256 }, (_, byte) => ({
    text: `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
    type: 'byte' as const,
  })),
];

/** Google's own library, compiled to WebAssembly: text to ids. */
export async function openSentencePiece(path: string): Promise<(text: string) => number[]> {
  const library: {
    SentencePieceProcessor: new () => {
      load(path: string): Promise<void>;
      encodeIds(text: string): number[];
    };
  } = createRequire(import.meta.url)('@agnai/sentencepiece-js');
  const processor = new library.SentencePieceProcessor();
  await processor.load(path);
  return (text) => processor.encodeIds(text);
}
