import protobuf from 'protobufjs/light.js';
import { z } from 'zod';
import { messageOf, UserError } from '../../core/errors.js';

/** A piece of a SentencePiece vocabulary; its id is its place in the model. */
export interface SentencePiece {
  /** With U+2581 for spaces, as the model writes them. */
  readonly text: string;
  /** Pieces of higher score are merged first. */
  readonly score: number;
  readonly type: (typeof pieceTypes)[keyof typeof pieceTypes];
}

/** Published models have some hundred kilobytes, the largest vocabularies some megabytes. */
export const maxSentencePieceBytes = 32 * 1024 * 1024;

/** SentencePiece's trainer makes pieces of at most 16 characters unless told otherwise; work grows with the square. */
const maxPieceBytes = 256;

const pieceTypes = { 1: 'normal', 2: 'unknown', 3: 'control', 4: 'user-defined', 6: 'byte' } as const;
const unusedPiece = 5;
const bpe = 2;
const otherModels: Record<number, string> = { 1: 'UNIGRAM', 3: 'WORD', 4: 'CHAR' };

/** What the user is told to do about a model that cannot be used. */
export const sentencePieceFix =
  'download it again, or save a tokenizer.json beside it with transformers: AutoTokenizer.from_pretrained(...).save_pretrained(...)';

/** The fields of `ModelProto` that are looked at, with the defaults of sentencepiece_model.proto. */
const modelProto = protobuf.Root.fromJSON({
  nested: {
    SentencePiece: {
      fields: {
        piece: { type: 'bytes', id: 1 },
        score: { type: 'float', id: 2 },
        type: { type: 'int32', id: 3, options: { default: 1 } },
      },
    },
    TrainerSpec: {
      fields: {
        model_type: { type: 'int32', id: 3, options: { default: 1 } },
        treat_whitespace_as_suffix: { type: 'bool', id: 24 },
        byte_fallback: { type: 'bool', id: 35 },
      },
    },
    NormalizerSpec: {
      fields: {
        precompiled_charsmap: { type: 'bytes', id: 2 },
        add_dummy_prefix: { type: 'bool', id: 3, options: { default: true } },
        remove_extra_whitespaces: { type: 'bool', id: 4, options: { default: true } },
        escape_whitespaces: { type: 'bool', id: 5, options: { default: true } },
      },
    },
    ModelProto: {
      fields: {
        pieces: { rule: 'repeated', type: 'SentencePiece', id: 1 },
        trainer_spec: { type: 'TrainerSpec', id: 2 },
        normalizer_spec: { type: 'NormalizerSpec', id: 3 },
        denormalizer_spec: { type: 'NormalizerSpec', id: 5 },
      },
    },
  },
}).lookupType('ModelProto');

const missing = { error: 'is missing' };
const must = <T extends boolean>(value: T) => z.literal(value, { error: `must be ${value}` });
const noCharacterMap = z
  .instanceof(Uint8Array)
  .refine((map) => map.length === 0, { error: 'maps characters, which is not supported' });

const pieceSchema = z.object({
  piece: z.instanceof(Uint8Array).transform((bytes, context) => {
    const text = bytes.length > maxPieceBytes ? undefined : decodeUtf8(bytes);
    if (text !== undefined && text !== '') return text;
    const message =
      text === '' ? 'is empty' : bytes.length > maxPieceBytes ? `has ${bytes.length} bytes` : 'is not UTF-8';
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }),
  score: z.number({ error: 'is not a finite number' }),
  type: z.int().transform((code, context) => {
    const type = pieceTypes[code as keyof typeof pieceTypes];
    if (type !== undefined) return type;
    const message = code === unusedPiece ? 'UNUSED is not supported' : `is unknown (${code})`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }),
});

const modelSchema = z.object({
  trainer_spec: z.object(
    {
      model_type: z.literal(bpe, {
        error: ({ input }) => `is ${otherModels[Number(input)] ?? input}, only BPE is supported`,
      }),
      byte_fallback: must(true),
      treat_whitespace_as_suffix: must(false),
    },
    missing,
  ),
  normalizer_spec: z.object(
    {
      precompiled_charsmap: noCharacterMap,
      add_dummy_prefix: must(true),
      remove_extra_whitespaces: must(false),
      escape_whitespaces: must(true),
    },
    missing,
  ),
  denormalizer_spec: z.object({ precompiled_charsmap: noCharacterMap }).nullable(),
  pieces: z.array(pieceSchema).min(1, { error: 'is empty' }),
});

/**
 * The pieces of a SentencePiece model (`tokenizer.model`) in order of their ids.
 *
 * Only models that tokenise as Llama's do are taken: BPE with byte fallback, a word mark put before every text, spaces
 * kept as they are, no other change of characters.
 *
 * Source of the format and of its rules: google/sentencepiece, sentencepiece_model.proto and model_interface.cc.
 *
 * @param path named in errors
 * @throws UserError naming file and field of what is damaged or not supported
 */
export function parseSentencePieceModel(content: Uint8Array, path: string): readonly SentencePiece[] {
  let fields: unknown;
  try {
    fields = modelProto.toObject(modelProto.decode(content), { defaults: true });
  } catch (error) {
    const what = `is not a SentencePiece model (${messageOf(error)})`;
    throw new UserError({ where: path, what, fix: sentencePieceFix }, { cause: error });
  }
  const parsed = modelSchema.safeParse(fields);
  if (!parsed.success) {
    const faults = parsed.error.issues.map((issue) => `${fieldName(issue.path)} ${issue.message}`);
    const more = faults.length > maxFaults ? [`and ${faults.length - maxFaults} more`] : [];
    throw new UserError({
      where: path,
      what: [...faults.slice(0, maxFaults), ...more].join(', '),
      fix: sentencePieceFix,
    });
  }
  const pieces = parsed.data.pieces.map(({ piece, score, type }) => ({ text: piece, score, type }));
  const what = duplicate(pieces) ?? unknownPieces(pieces) ?? bytePieces(pieces) ?? spaces(pieces);
  if (what !== undefined) throw new UserError({ where: path, what, fix: sentencePieceFix });
  return pieces;
}

/** Errors are one line, however many pieces are at fault. */
const maxFaults = 4;

function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .slice(1);
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function duplicate(pieces: readonly SentencePiece[]): string | undefined {
  const ids = new Map<string, number>();
  for (const [id, { text }] of pieces.entries()) {
    const before = ids.get(text);
    if (before !== undefined) return `pieces[${before}] and pieces[${id}] are both ${JSON.stringify(text)}`;
    ids.set(text, id);
  }
  return undefined;
}

function unknownPieces(pieces: readonly SentencePiece[]): string | undefined {
  const count = pieces.filter(({ type }) => type === 'unknown').length;
  return count === 1 ? undefined : `pieces has ${count} of type UNKNOWN instead of one`;
}

function bytePieces(pieces: readonly SentencePiece[]): string | undefined {
  const found = new Set(pieces.filter(({ type }) => type === 'byte').map(({ text }) => text));
  for (let byte = 0; byte < 256; byte++) {
    const name = `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
    if (!found.delete(name)) return `pieces has no BYTE ${name}`;
  }
  const [other] = found;
  return other === undefined ? undefined : `pieces has a BYTE ${JSON.stringify(other)}`;
}

/** Spaces are U+2581 in pieces; a user-defined piece, which is looked for before that change, can hold neither. */
function spaces(pieces: readonly SentencePiece[]): string | undefined {
  for (const [id, { text, type }] of pieces.entries()) {
    if (text.includes(' ')) return `pieces[${id}].piece holds a space`;
    if (type === 'user-defined' && text.includes('\u2581')) {
      return `pieces[${id}].piece is user-defined and holds a space`;
    }
  }
  return undefined;
}
