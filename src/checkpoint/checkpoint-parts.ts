import { UserError } from '../core/errors.js';
import type { ClipShape } from './clip-config.js';
import type { LlamaShape } from './llama-config.js';
import type { OpenWeights } from './open-weights.js';
import type { TensorFiles } from './tensor-files.js';
import { type FloatDtype, floatDtypes, type TensorSource } from './tensor-source.js';
import {
  type ClipWeights,
  clipWeights,
  embeddingName,
  type LlamaWeights,
  llamaWeights,
  llavaHfNames,
  llavaNames,
  type NamingScheme,
  type ProjectorWeights,
  projectorWeights,
  type TensorFinder,
} from './weight-names.js';

/** A tensor of a checkpoint, found and checked but not read. */
interface FoundTensor {
  readonly source: TensorSource;
  /** Its name in the source. */
  readonly name: string;
  readonly dtype: FloatDtype;
}

/** The [out, in] matrix of a linear layer. */
export interface SourceMatrix extends FoundTensor {
  readonly role: 'matrix';
  readonly dims: readonly [number, number];
}

/** Any other tensor: a norm, bias, kernel or table. */
export interface SourcePlain extends FoundTensor {
  readonly role: 'plain';
  readonly dims: readonly number[];
}
export type SourceTensor = SourceMatrix | SourcePlain;

/** The weights of a LLaVA model by part. */
export interface LlavaWeights {
  readonly text: LlamaWeights<SourcePlain, SourceMatrix>;
  readonly tower: ClipWeights<SourcePlain, SourceMatrix>;
  readonly projector: ProjectorWeights<SourcePlain, SourceMatrix>;
}

/** A long list of absent tensors says no more than its beginning. */
const mostNamed = 12;

/**
 * Finds every tensor of the model by part; tensors that no part needs are ignored.
 * Throws one `UserError` naming all that are missing or of another shape or element type than the config says.
 */
export function findWeights(options: {
  readonly layout: 'llava' | 'llava-hf';
  readonly text: LlamaShape & { readonly tied: boolean };
  readonly vision: ClipShape;
  readonly model: OpenWeights;
  readonly tower: OpenWeights;
}): LlavaWeights {
  const { text, vision, model, tower } = options;
  const names = options.layout === 'llava' ? llavaNames : hfNames(model.files);
  return findTensors(model.dir, (finder) => ({
    text: llamaWeights(finder(model), names, text),
    tower: clipWeights(finder(tower), names, vision),
    projector: projectorWeights(finder(model), names, { from: vision.hiddenSize, to: text.hiddenSize }),
  }));
}

/**
 * Finds every tensor of the language model under its names in the original layout, whatever else the checkpoint holds.
 * Throws one `UserError` naming all that are missing or of another shape or element type than the config says.
 */
export function findLanguageModelWeights(
  text: LlamaShape & { readonly tied: boolean },
  model: OpenWeights,
): LlavaWeights['text'] {
  return findTensors(model.dir, (finder) => llamaWeights(finder(model), llavaNames, text));
}

/** Lets `find` look up all it needs, then throws one `UserError` about `dir` if anything was at fault. */
function findTensors<T>(
  dir: string,
  find: (finder: (weights: OpenWeights) => TensorFinder<SourcePlain, SourceMatrix>) => T,
): T {
  const missing = new Set<string>();
  const unfit = new Set<string>();
  const check = (files: TensorFiles, name: string, dims: readonly number[]): FoundTensor => {
    const tensor = files.tensors.get(name);
    const dtype = floatDtypes.find((known) => known === tensor?.dtype);
    if (tensor === undefined) missing.add(name);
    else if (dtype === undefined) unfit.add(`${name} is ${tensor.dtype}, not ${floatDtypes.join(', ')}`);
    else if (!sameDims(tensor.dims, dims)) {
      unfit.add(`${name} is [${tensor.dims.join(', ')}], but the config means [${dims.join(', ')}]`);
    }
    return { source: files, name, dtype: dtype ?? 'F32' };
  };
  const found = find(({ files }) => ({
    plain: (name, dims) => ({ ...check(files, name, dims), role: 'plain', dims }),
    matrix: (name, dims) => ({ ...check(files, name, dims), role: 'matrix', dims }),
  }));
  const faults = [...summary('missing tensors', [...missing]), ...summary('unusable tensors', [...unfit])];
  if (faults.length > 0) {
    throw new UserError({
      where: dir,
      what: faults.join('; '),
      fix: 'check that config.json and the weight files belong to the same checkpoint and are all there',
    });
  }
  return found;
}

function hfNames(files: TensorFiles): NamingScheme {
  return llavaHfNames.find((names) => files.tensors.has(embeddingName(names))) ?? llavaHfNames[0]!;
}

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

function summary(kind: string, list: readonly string[]): string[] {
  if (list.length === 0) return [];
  const more = list.length > mostNamed ? ` and ${list.length - mostNamed} more` : '';
  return [`${list.length} ${kind}: ${list.slice(0, mostNamed).join(', ')}${more}`];
}
