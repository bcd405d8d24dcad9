import { compositionProblem, MethodSet } from '../compression/method-set.js';
import type { KnownMethods } from '../config/run-config.js';

/** What run files may say of methods: the registry, compositions, and `matched:` names. */
export const knownMethods: KnownMethods = Object.freeze({
  compositionProblem,
  methodProblem: (name, compositions) => new MethodSet(compositions).problem(name),
} satisfies KnownMethods);
