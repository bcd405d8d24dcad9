/** Element types by the name of the storage class in `torch`. */
const storageTypes = {
  FloatStorage: 'F32',
  HalfStorage: 'F16',
  BFloat16Storage: 'BF16',
  DoubleStorage: 'F64',
  LongStorage: 'I64',
  IntStorage: 'I32',
  ShortStorage: 'I16',
  CharStorage: 'I8',
  ByteStorage: 'U8',
  BoolStorage: 'BOOL',
  ComplexFloatStorage: 'C64',
  ComplexDoubleStorage: 'C128',
} as const;

/** Element types by their name in `torch`. */
const dtypes = {
  float32: 'F32',
  float16: 'F16',
  bfloat16: 'BF16',
  float64: 'F64',
  int64: 'I64',
  int32: 'I32',
  int16: 'I16',
  int8: 'I8',
  uint64: 'U64',
  uint32: 'U32',
  uint16: 'U16',
  uint8: 'U8',
  bool: 'BOOL',
  float8_e4m3fn: 'F8_E4M3',
  float8_e5m2: 'F8_E5M2',
  complex64: 'C64',
  complex128: 'C128',
} as const;

const functions = [
  'collections.OrderedDict',
  'torch._utils._rebuild_tensor',
  'torch._utils._rebuild_tensor_v2',
  'torch._utils._rebuild_tensor_v3',
  'torch._utils._rebuild_parameter',
  'torch._utils._rebuild_parameter_with_state',
  'torch.Size',
  'torch.device',
] as const;

/** A name of Python that weights may refer to. It stands for itself; nothing of Python is ever run. */
export type AllowedGlobal =
  | { readonly kind: 'function'; readonly name: (typeof functions)[number] }
  /** `dtype` is undefined for a storage of bytes, whose tensors carry the element type. */
  | { readonly kind: 'storage type'; readonly dtype: string | undefined }
  | { readonly kind: 'element type'; readonly dtype: string };

const allowed: ReadonlyMap<string, AllowedGlobal> = new Map<string, AllowedGlobal>([
  ...functions.map((name) => [name, { kind: 'function', name }] as const),
  ...Object.entries(storageTypes).map(
    ([name, dtype]) => [`torch.${name}`, { kind: 'storage type', dtype }] as const,
  ),
  ...['torch.storage.UntypedStorage', 'torch.UntypedStorage'].map(
    (name) => [name, { kind: 'storage type', dtype: undefined }] as const,
  ),
  ...Object.entries(dtypes).map(
    ([name, dtype]) => [`torch.${name}`, { kind: 'element type', dtype }] as const,
  ),
]);

/** What a module's name means in files of weights, if they may use it. */
export function allowedGlobal(module: string, name: string): AllowedGlobal | undefined {
  return name.includes('.') ? undefined : allowed.get(`${module}.${name}`);
}
