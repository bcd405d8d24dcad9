import { elementCount } from '../../core/tensor.js';
import { elementBytes } from '../element-bytes.js';
import { printable } from '../printable.js';
import type { TensorEntry } from '../tensor-entry.js';
import { tensorLayout } from '../tensor-layout.js';
import type { PickleValue, StorageValue, TensorValue } from './pickle-values.js';
import { damaged } from './torch-fault.js';

/** What programs that save more than weights call the weights. */
const nested = ['state_dict', 'model', 'module'];

/**
 * The tensors of a saved state dictionary, or of the one inside a saved dictionary.
 *
 * @param offsetOf the byte of the file where a storage starts
 * @throws UserError when there is none, or a tensor reaches beyond its storage
 */
export function stateDictEntries(
  root: PickleValue,
  { path, offsetOf }: { path: string; offsetOf: (storage: StorageValue) => number },
): TensorEntry[] {
  const inner = nested.map((key) => namedTensors(entriesOf(root)?.get(key) ?? null));
  const tensors = [...inner, namedTensors(root)].find((found) => found.length > 0);
  if (tensors === undefined) throw damaged(path, 'holds no tensors by name');
  return tensors.map(([name, tensor]) =>
    tensorEntry(name, tensor, { path, start: offsetOf(tensor.storage) }),
  );
}

function entriesOf(value: PickleValue): ReadonlyMap<PickleValue, PickleValue> | undefined {
  return typeof value === 'object' && value !== null && value.kind === 'dict' ? value.entries : undefined;
}

function namedTensors(dict: PickleValue): [string, TensorValue][] {
  const named: [string, TensorValue][] = [];
  for (const [name, value] of entriesOf(dict) ?? []) {
    if (typeof name !== 'string' || typeof value !== 'object' || value?.kind !== 'tensor') continue;
    named.push([name, value]);
  }
  return named;
}

function tensorEntry(
  name: string,
  { storage, dtype, offset, dims, strides }: TensorValue,
  { path, start }: { path: string; start: number },
): TensorEntry {
  const perElement = elementBytes[dtype]!;
  const elements = elementCount(dims);
  const available = storage.bytes / perElement;
  const reach = strides.reduce((sum, stride, axis) => sum + (dims[axis]! - 1) * stride, offset + 1);
  if (elements > 0 && reach > available) {
    throw damaged(path, `tensor ${printable(name)} reaches beyond storage ${printable(storage.key)}`);
  }
  return {
    name,
    dtype,
    dims,
    offset: elements === 0 ? start : start + offset * perElement,
    bytes: elements * perElement,
    layout: elements > available ? { kind: 'scattered', strides } : tensorLayout(dims, strides),
  };
}
