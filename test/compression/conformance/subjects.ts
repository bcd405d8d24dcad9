import { type MethodSemantics, MethodSet } from '../../../src/compression/method-set.js';
import type { CompressingPolicy, Policy } from '../../../src/compression/policy.js';
import { methods } from '../../../src/compression/registry.js';

/** Compositions of one's own: rules of every stage that no method of the registry combines so. */
export const ownCompositions = Object.freeze({
  'own-votes': {
    score: { rule: 'window', size: 8, width: 3, pooling: 'max' },
    prior: 'text-first',
    select: { rule: 'top', window: 5 },
    merge: 'weighted',
  },
  'own-layers': {
    score: 'key-norm',
    prior: { rule: 'first-tokens', count: 2 },
    select: { rule: 'steady', share: 0.5 },
    merge: 'average',
    allocate: { rule: 'weights', layers: [1, 3, 2] },
  },
});

/** Layers that the weights above are made for. */
export const layerCount = 3;

/** Something that compresses, under one semantics. */
export interface Subject {
  readonly title: string;
  readonly name: string;
  readonly semantics: MethodSemantics;
  readonly policy: Policy;
}

const names = [
  ...Object.keys(methods),
  'matched:look-m-tp-p',
  'matched:look-m-tp-p/snapkv',
  ...Object.keys(ownCompositions),
];

const methodSet = new MethodSet(ownCompositions);

/** Every method of the registry, two matched ones and the compositions above, under both semantics. */
export const subjects: readonly Subject[] = names.flatMap((name) =>
  (['release', 'paper'] as const).map((semantics) => ({
    title: `${name} (${semantics})`,
    name,
    semantics,
    policy: methodSet.policy(name, semantics),
  })),
);

/** Policies that do not keep the full cache, for properties of their stages. */
export function stagesOf({ policy }: Subject): CompressingPolicy | null {
  return policy.kind === 'compress' ? policy : null;
}

/** Whether the method chosen by a subject folds evicted tokens into rows. */
export function merges(subject: Subject): boolean {
  const stages = stagesOf(subject);
  return stages !== null && stages.composition.merge.rule !== null;
}

/** Whether no row of an image may stay. */
export function dropsImages(subject: Subject): boolean {
  return subject.name === 'text-only';
}

/** Whether all layers get the same rows. */
export function isUniform(subject: Subject): boolean {
  return stagesOf(subject)?.composition.allocate.rule.layers == null;
}
