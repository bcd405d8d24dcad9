import { UserError } from '../core/errors.js';
import type { OpenWeights } from './open-weights.js';
import type { TensorEntry } from './tensor-entry.js';
import { scatteredFault } from './tensor-layout.js';
import type { TensorFinder } from './tensor-rules.js';
import { type FloatDtype, floatDtypes, type TensorSource } from './tensor-source.js';

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

/** Finds tensors of a checkpoint. */
export type SourceFinder = TensorFinder<SourcePlain, SourceMatrix>;

/** A long list of absent tensors says no more than its beginning. */
const mostNamed = 12;

/**
 * Lets `find` look up all it needs in each of `weights`; tensors that nobody asks for are ignored.
 *
 * @throws UserError naming the directories at fault and all tensors that are missing or of another shape or element
 * type than the config says
 */
export function findTensors<Part extends string, T>(
  weights: Readonly<Record<Part, OpenWeights>>,
  find: (finders: Readonly<Record<Part, SourceFinder>>) => T,
): T {
  const faults = new Faults();
  const finders: Partial<Record<Part, SourceFinder>> = {};
  for (const part of Object.keys(weights) as Part[]) finders[part] = sourceFinder(weights[part], faults);
  const found = find(finders as Record<Part, SourceFinder>);
  faults.refuse();
  return found;
}

/** What is wrong with the tensors asked for so far. */
class Faults {
  readonly directories = new Set<string>();
  readonly missing = new Set<string>();
  readonly unfit = new Set<string>();

  refuse(): void {
    if (this.directories.size === 0) return;
    throw new UserError({
      where: [...this.directories].join(', '),
      what: [
        ...summary('missing tensors', [...this.missing]),
        ...summary('unusable tensors', [...this.unfit]),
      ].join('; '),
      fix: 'check that config.json and the weight files belong to the same checkpoint and are all there',
    });
  }
}

function sourceFinder({ dir, files }: OpenWeights, faults: Faults): SourceFinder {
  const check = (name: string, dims: readonly number[]): FoundTensor => {
    const tensor = files.tensors.get(name);
    const dtype = floatDtypes.find((known) => known === tensor?.dtype);
    const unfit = tensor && unfitness(tensor, dims);
    if (tensor === undefined) faults.missing.add(name);
    if (unfit !== undefined) faults.unfit.add(`${name} ${unfit}`);
    if (tensor === undefined || unfit !== undefined) faults.directories.add(dir);
    return { source: files, name, dtype: dtype ?? 'F32' };
  };
  return {
    has: (name) => files.tensors.has(name),
    plain: (name, dims) => ({ ...check(name, dims), role: 'plain', dims }),
    matrix: (name, dims) => ({ ...check(name, dims), role: 'matrix', dims }),
  };
}

/** Why a tensor cannot be used for one of shape `dims`, if so. */
function unfitness({ dtype, dims: found, layout }: TensorEntry, dims: readonly number[]): string | undefined {
  if (!floatDtypes.some((known) => known === dtype)) return `is ${dtype}, not ${floatDtypes.join(', ')}`;
  if (!sameDims(found, dims)) return `is [${found.join(', ')}], but the config means [${dims.join(', ')}]`;
  return layout.kind === 'scattered' ? scatteredFault(layout) : undefined;
}

function sameDims(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((dim, axis) => dim === b[axis]);
}

function summary(kind: string, list: readonly string[]): string[] {
  if (list.length === 0) return [];
  const more = list.length > mostNamed ? ` and ${list.length - mostNamed} more` : '';
  return [`${list.length} ${kind}: ${list.slice(0, mostNamed).join(', ')}${more}`];
}
