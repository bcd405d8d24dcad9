import { elementBytes } from '../element-bytes.js';
import { printable } from '../printable.js';
import { maxRank } from '../tensor-entry.js';
import { allowedGlobal } from './allowed-globals.js';
import {
  kindOf,
  type PickleTuple,
  type PickleValue,
  type StorageValue,
  type TensorValue,
} from './pickle-values.js';
import { damaged, refused } from './torch-fault.js';
import type { PickleMeaning } from './unpickle.js';

/**
 * What `torch.save` means by the names and calls in its pickles: tensors become descriptions of where their elements
 * lie, everything that is not on the allow-list is refused by name.
 */
export class TorchMeaning implements PickleMeaning {
  /** Every storage the pickles referred to, by key. */
  readonly storages = new Map<string, StorageValue>();
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  global(module: string, name: string): PickleValue {
    const known = allowedGlobal(module, name);
    if (known === undefined) {
      throw refused(
        this.#path,
        `its pickle asks for ${printable(`${module}.${name}`)}, which is not part of weights`,
      );
    }
    return known;
  }

  call(callee: PickleValue, { items }: PickleTuple): PickleValue {
    if (callee === null || typeof callee !== 'object' || callee.kind !== 'function') {
      throw refused(this.#path, `its pickle calls ${kindOf(callee)}, which is not part of weights`);
    }
    const [first] = items;
    switch (callee.name) {
      case 'collections.OrderedDict':
        if (items.length > 0) throw this.#unfit(callee.name);
        return { kind: 'dict', entries: new Map() };
      case 'torch._utils._rebuild_tensor':
      case 'torch._utils._rebuild_tensor_v2':
        return this.#tensor(callee.name, items, undefined);
      case 'torch._utils._rebuild_tensor_v3':
        return this.#tensor(callee.name, items, items[6]);
      case 'torch._utils._rebuild_parameter':
      case 'torch._utils._rebuild_parameter_with_state':
        if (first === undefined) throw this.#unfit(callee.name);
        return first;
      case 'torch.Size':
      case 'torch.device':
        return { kind: 'detail' };
    }
  }

  /** ('storage', type, key, device, elements), in the legacy format with a sixth item for views, long unused. */
  persistent(id: PickleValue): PickleValue {
    const items = isObject(id, 'tuple') ? id.items : [];
    const [what, type, key, , elements, view] = items;
    if (typeof what === 'string' && what !== 'storage') {
      throw refused(this.#path, `its pickle refers to a ${printable(what)}, which is not part of weights`);
    }
    if (
      !isObject(type, 'storage type') ||
      typeof key !== 'string' ||
      !isSize(elements) ||
      (view ?? null) !== null
    ) {
      throw damaged(this.#path, 'its pickle refers to something that is no storage');
    }
    const bytes = elements * (type.dtype === undefined ? 1 : elementBytes[type.dtype]!);
    const known = this.storages.get(key);
    if (known !== undefined && (known.bytes !== bytes || known.dtype !== type.dtype)) {
      throw damaged(this.#path, `storage ${printable(key)} is described in two ways`);
    }
    const storage: StorageValue = known ?? { kind: 'storage', key, bytes, dtype: type.dtype };
    this.storages.set(key, storage);
    return storage;
  }

  /** `items`: storage, offset, dims, strides, then what only training needs. */
  #tensor(
    callee: string,
    [storage, offset, size, stride]: readonly PickleValue[],
    type: PickleValue | undefined,
  ): TensorValue {
    const dims = sizes(size);
    const strides = sizes(stride);
    if (!isObject(storage, 'storage') || !isSize(offset) || !dims || dims.length !== strides?.length) {
      throw this.#unfit(callee);
    }
    const dtype = isObject(type, 'element type') ? type.dtype : storage.dtype;
    if (dtype === undefined) throw this.#unfit(callee);
    return { kind: 'tensor', storage, dtype, offset, dims, strides };
  }

  #unfit(callee: string): Error {
    return damaged(this.#path, `its pickle calls ${callee} with arguments that do not fit`);
  }
}

type ObjectOf<Kind> = Extract<PickleValue, { kind: Kind }>;

function isObject<Kind extends string>(value: PickleValue | undefined, kind: Kind): value is ObjectOf<Kind> {
  return typeof value === 'object' && value !== null && value.kind === kind;
}

function isSize(value: PickleValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function sizes(value: PickleValue | undefined): readonly number[] | undefined {
  if (!isObject(value, 'tuple') || value.items.length > maxRank) return undefined;
  return value.items.every(isSize) ? value.items : undefined;
}
