import type { AllowedGlobal } from './allowed-globals.js';

/** What a pickle of weights can hold. Only `unpickle` changes lists and dictionaries. */
export type PickleValue = null | boolean | number | bigint | string | PickleObject;

export type PickleObject =
  | PickleTuple
  | { readonly kind: 'list'; readonly items: PickleValue[] }
  | PickleDict
  | AllowedGlobal
  | StorageValue
  | TensorValue
  /** Something allowed that weights do not depend on, such as the name of a device. */
  | { readonly kind: 'detail' };

export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

export interface PickleDict {
  readonly kind: 'dict';
  readonly entries: Map<PickleValue, PickleValue>;
}

/** The memory of one or several tensors. */
export interface StorageValue {
  readonly kind: 'storage';
  readonly key: string;
  readonly bytes: number;
  /** Undefined when the tensors say it themselves. */
  readonly dtype: string | undefined;
}

/** A tensor: elements of a storage. Offset and strides count elements. */
export interface TensorValue {
  readonly kind: 'tensor';
  readonly storage: StorageValue;
  readonly dtype: string;
  readonly offset: number;
  readonly dims: readonly number[];
  readonly strides: readonly number[];
}

/** What a value is, for messages. */
export function kindOf(value: PickleValue): string {
  if (value === null) return 'None';
  if (typeof value !== 'object') return `a ${typeof value}`;
  if (value.kind === 'function') return value.name;
  return value.kind === 'element type' ? `an ${value.kind}` : `a ${value.kind}`;
}
