import { z } from 'zod';

/** Name of the manifest inside a bundle directory. */
export const bundleManifestName = 'bundle.json';

/** Bumped whenever the converter's output changes; a bundle of another format is converted again. */
export const bundleFormat = 3;

const positive = z.int().positive();

const bundleFileSchema = z.strictObject({
  /** Relative to the bundle directory, inside it. */
  path: z.string().regex(/^[\w.-]+$/),
  bytes: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});

/** How a question becomes the prompt text around `<image>` marks. */
export const promptTemplateSchema = z.strictObject({
  /** Name of a known template, or `custom` when the checkpoint brings its own. */
  name: z.string(),
  before: z.string(),
  after: z.string(),
  /** Generation stops when the text of the last tokens contains one of these. */
  stopStrings: z.array(z.string()),
});

/** How a matrix is stored: as floats, or as integers in blocks that share a scale and a zero point. */
const matrixFormatSchema = z.discriminatedUnion('dtype', [
  z.strictObject({ dtype: z.enum(['fp32', 'fp16']) }),
  z.strictObject({
    dtype: z.enum(['int8', 'int4']),
    blockSize: z.union([z.literal(32), z.literal(64), z.literal(128)]),
  }),
]);

/** Where the weights come from. */
const sourceSchema = z.discriminatedUnion('kind', [
  /** What was converted: the layout of weight names and the hash of every file read. */
  z.strictObject({
    kind: z.literal('checkpoint'),
    layout: z.string().min(1),
    files: z.array(z.strictObject({ path: z.string(), sha256: z.string() })),
  }),
  /** Nothing: weights are random, answers mean nothing, and only costs may be reported. */
  z.strictObject({
    kind: z.literal('random'),
    /** The published model whose sizes these are. */
    model: z.string().min(1),
    seed: z.int().nonnegative(),
    /** Decoder layers of that model; `text.layers` may be fewer. */
    modelLayers: positive,
  }),
]);

export const bundleManifestSchema = z.strictObject({
  format: z.literal(bundleFormat),
  name: z.string(),
  /** Family of the checkpoint: `llava`, `mobilevlm` or `internvl` so far. */
  family: z.string().min(1),
  source: sourceSchema,
  /** Element types of the matrices of linear layers; all other tensors are float32. */
  weights: z.strictObject({
    layers: matrixFormatSchema,
    head: matrixFormatSchema,
    vision: matrixFormatSchema,
  }),
  /** What the formats cost in accuracy, by kind of matrix: root mean square error relative to the matrix. */
  matrices: z.array(
    z.strictObject({
      /** Such as `layers.q`: a matrix of every decoder layer. */
      part: z.string(),
      dtype: z.enum(['fp32', 'fp16', 'int8', 'int4']),
      count: positive,
      bytes: positive,
      meanError: z.number().nonnegative(),
      worst: z.strictObject({ tensor: z.string(), error: z.number().nonnegative() }),
    }),
  ),
  text: z.strictObject({
    hiddenSize: positive,
    intermediateSize: positive,
    layers: positive,
    heads: positive,
    kvHeads: positive,
    headDim: positive,
    vocabSize: positive,
    rmsNormEps: z.number().positive(),
    ropeTheta: z.number().positive(),
    /** Length of the rotary tables: no prompt plus answer may be longer. */
    maxPositions: positive,
  }),
  vision: z.strictObject({
    /** Kinds of tower and projector. */
    tower: z.string().min(1),
    projector: z.string().min(1),
    hiddenSize: positive,
    imageSize: positive,
    patchSize: positive,
    /** Encoder layers in the graph: the selected one is the last. */
    layers: positive,
    /** Tokens of an image after the tower, and after the projector. */
    patches: positive,
    tokensPerImage: positive,
  }),
  image: z.strictObject({
    /** `pad` = paste on a square of the mean colour first; `crop` = shortest edge, then centre crop. */
    aspect: z.enum(['pad', 'crop']),
    size: positive,
    mean: z.tuple([z.number(), z.number(), z.number()]),
    std: z.tuple([z.number(), z.number(), z.number()]),
    rescaleFactor: z.number().positive(),
  }),
  prompt: promptTemplateSchema,
  tokens: z.strictObject({
    bos: z.int(),
    eos: z.int(),
    /** Whether every tokenised chunk starts with BOS (kept once, at the very start). */
    addBos: z.boolean(),
  }),
  /** Token rows [vocabSize, hiddenSize] in the checkpoint's own dtype, little-endian. */
  embedding: z.strictObject({ file: z.string(), dtype: z.enum(['F32', 'F16', 'BF16']) }),
  /** `segments[l]` computes layer l-1's output projection and MLP and layer l's QKV; the last one the logits. */
  graphs: z.strictObject({ segments: z.array(z.string()).min(2), vision: z.string() }),
  files: z.array(bundleFileSchema).min(1),
});

/** Everything the engine needs to know of a bundle without opening its graphs. */
export type BundleManifest = z.infer<typeof bundleManifestSchema>;
export type PromptTemplate = z.infer<typeof promptTemplateSchema>;
export type TextConfig = BundleManifest['text'];
