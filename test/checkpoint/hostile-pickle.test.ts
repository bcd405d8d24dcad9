import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { openTensorFiles } from '../../src/checkpoint/tensor-files.js';
import { UserError } from '../../src/core/errors.js';
import * as pickle from './pickle-bytes.js';
import { refusalOf } from './refusal-of.js';
import { scratchDirectory } from './scratch-directory.js';
import { tensorCall, torchLegacy, torchZip } from './write-torch.js';

const { call, dict, global, int, none, persistent, pickled, text, tuple } = pickle;

const formats = [
  ['zip', torchZip],
  ['legacy', torchLegacy],
] as const;

/** A dictionary with one entry, as weights are one. */
function holding(...parts: readonly Uint8Array[]): Buffer {
  return pickled(dict([['weight', Buffer.concat(parts)]]));
}

const emptyTuple = Buffer.from(')');
const float = { key: '0', storageClass: 'FloatStorage', elements: 4, dims: [4], strides: [1] };
const rebuild = global('torch._utils', '_rebuild_tensor_v2');
const orderedDict = global('collections', 'OrderedDict');
const storageOf = (...items: readonly Uint8Array[]) => persistent(text('storage'), ...items);
const shortText = (value: string) => Buffer.concat([Buffer.of(0x8c, value.length), Buffer.from(value)]);

test.each(formats)(
  'a pickle that would run a command is refused, and the command is not run: %s',
  async (_, file) => {
    const dir = scratchDirectory();
    const command = text(`touch ${join(dir, 'ran')}`);
    const path = join(dir, 'pytorch_model.bin');
    for (const module of ['os', 'posix', 'nt', 'subprocess']) {
      await writeFile(path, file(holding(call(global(module, 'system'), command))));
      expect(await refusalOf(path)).toBe(
        `its pickle asks for ${module}.system, which is not part of weights; nothing of it was executed; use weights from a source you trust, best saved as safetensors`,
      );
    }
    expect(existsSync(join(dir, 'ran'))).toBe(false);
  },
);

const asked: [name: string, parts: readonly Uint8Array[]][] = [
  ['builtins.eval', [call(global('builtins', 'eval'), text('1'))]],
  ['__builtin__.eval', [call(global('__builtin__', 'eval'), text('1'))]],
  ['builtins.getattr', [global('builtins', 'getattr')]],
  ['torch.storage._load_from_bytes', [call(global('torch.storage', '_load_from_bytes'), text(''))]],
  ['torch.load', [global('torch', 'load')]],
  ['torch._utils._rebuild_qtensor', [global('torch._utils', '_rebuild_qtensor')]],
  ['collections.OrderedDict.fromkeys', [global('collections', 'OrderedDict.fromkeys')]],
  ['torch._utils._rebuild_tensor_v2', [global('torch', '_utils._rebuild_tensor_v2')]],
  ['.OrderedDict', [global('', 'OrderedDict')]],
  ['constructor.constructor', [global('constructor', 'constructor')]],
  ['__proto__.__proto__', [global('__proto__', '__proto__')]],
  ['os.system', [text('os'), text('system'), Buffer.of(0x93)]],
  ['os.system', [shortText('os'), Buffer.of(0x94), shortText('system'), Buffer.of(0x93)]],
  ['os.system', [pickle.mark, global('os', 'system'), text('true'), Buffer.from('o')]],
  ['os.system', [global('os', 'system'), emptyTuple, Buffer.of(0x81)]],
  ['\\u{1b}[2J\\u{d}\\u{202e}x.y', [global('\u001b[2J\r\u202ex', 'y')]],
  [`${'a'.repeat(120)}…`, [global('a'.repeat(500), 'b')]],
];

test.each(asked)('%s is not imported', async (name, parts) => {
  expect(await refusalIn(holding(...parts))).toContain(
    `its pickle asks for ${name}, which is not part of weights`,
  );
});

const instance = (...parts: readonly Uint8Array[]) => Buffer.concat([pickle.mark, ...parts]);

const operations: [what: string, parts: readonly Uint8Array[], says: string][] = [
  ['INST', [instance(text('true')), Buffer.from('ios\nsystem\n')], 'makes an instance (INST) of os.system'],
  ['OBJ of an allowed class', [instance(orderedDict), Buffer.from('o')], 'uses the operation OBJ'],
  [
    'NEWOBJ of an allowed class',
    [orderedDict, emptyTuple, Buffer.of(0x81)],
    'uses the operation NEWOBJ at byte',
  ],
  ['NEWOBJ_EX', [orderedDict, emptyTuple, dict([]), Buffer.of(0x92)], 'uses the operation NEWOBJ_EX'],
  ['the extension registry', [Buffer.of(0x82, 1)], 'uses the operation EXT1'],
  ['a text persistent id', [Buffer.from('Pstorage\n')], 'uses the operation PERSID'],
  ['DUP', [none, Buffer.from('2')], 'uses the operation DUP'],
  ['an unknown opcode', [Buffer.of(0xff)], 'has no operation with code 255'],
  [
    'BUILD on a function',
    [rebuild, dict([]), Buffer.from('b')],
    'sets the state (BUILD) of torch._utils._rebuild_tensor_v2',
  ],
  [
    'BUILD on a tensor',
    [tensorCall(float), dict([]), Buffer.from('b')],
    'sets the state (BUILD) of a tensor',
  ],
  ['BUILD on None', [none, dict([]), Buffer.from('b')], 'sets the state (BUILD) of None'],
  ['a call of a storage class', [call(global('torch', 'FloatStorage'), int(4))], 'calls a storage type'],
  ['a call of an element type', [call(global('torch', 'float32'), int(4))], 'calls an element type'],
  ['a call of text', [call(text('os.system'))], 'calls a string'],
  ['a call of a tensor', [call(tensorCall(float))], 'calls a tensor'],
  ['a call without a tuple', [orderedDict, none, Buffer.from('R')], 'calls with None for arguments'],
  [
    'a dictionary from a list',
    [call(orderedDict, pickle.list())],
    'calls collections.OrderedDict with arguments',
  ],
  [
    'a parameter of nothing',
    [call(global('torch._utils', '_rebuild_parameter'))],
    '_rebuild_parameter with arguments',
  ],
  [
    'a module with its source',
    [persistent(text('module'), orderedDict, text('x.py'), text('x'))],
    'refers to a module',
  ],
  ['a persistent id that is no tuple', [none, Buffer.from('Q')], 'refers to something that is no storage'],
  ['a storage of no type', [storageOf(none, text('0'), text('cpu'), int(1))], 'something that is no storage'],
  ['a storage of -1 elements', [tensorCall({ ...float, elements: -1 })], 'something that is no storage'],
  [
    'a storage that is a view',
    [
      storageOf(
        global('torch', 'FloatStorage'),
        text('0'),
        text('cpu'),
        int(4),
        tuple(text('1'), int(0), int(2)),
      ),
    ],
    'something that is no storage',
  ],
  [
    'a storage of two sizes',
    [tensorCall(float), Buffer.from('u('), text('b'), tensorCall({ ...float, storageClass: 'HalfStorage' })],
    'storage 0 is described in two ways',
  ],
  [
    'a storage of two types',
    [tensorCall(float), Buffer.from('u('), text('b'), tensorCall({ ...float, storageClass: 'IntStorage' })],
    'storage 0 is described in two ways',
  ],
  ['a negative size', [tensorCall({ ...float, dims: [-4] })], 'arguments that do not fit'],
  ['a negative stride', [tensorCall({ ...float, strides: [-1] })], 'arguments that do not fit'],
  ['a size of 2^60', [tensorCall({ ...float, dims: [2n ** 60n] })], 'arguments that do not fit'],
  [
    '17 axes',
    [tensorCall({ ...float, dims: Array(17).fill(1), strides: Array(17).fill(1) })],
    'arguments that do not fit',
  ],
  ['an axis without a stride', [tensorCall({ ...float, dims: [2, 2] })], 'arguments that do not fit'],
  ['a tensor of nothing', [call(rebuild)], '_rebuild_tensor_v2 with arguments that do not fit'],
  [
    'a tensor of bytes without an element type',
    [tensorCall({ ...float, storageClass: 'UntypedStorage' })],
    'arguments that do not fit',
  ],
  [
    'more elements than the storage',
    [tensorCall({ ...float, dims: [5] })],
    'tensor weight reaches beyond storage 0',
  ],
  [
    'elements past the storage',
    [tensorCall({ ...float, dims: [2], offset: 3 })],
    'tensor weight reaches beyond storage 0',
  ],
  [
    'strides past the storage',
    [tensorCall({ ...float, dims: [2], strides: [4] })],
    'tensor weight reaches beyond storage 0',
  ],
  [
    'a stack that is empty',
    [Buffer.from('b'), Buffer.from('b'), Buffer.from('b')],
    'a value that is not there',
  ],
  ['a mark that is not there', [Buffer.from('tt')], 'takes a mark that is not there'],
  ['a value never stored', [Buffer.from('h\x07')], 'recalls value 7, which it never stored'],
  ['items of a list', [pickle.list(), none, none, Buffer.from('s')], 'sets items of a list'],
  ['an odd number of items', [Buffer.from('}('), none, Buffer.from('u')], 'sets a key without a value'],
  ['an append to a tuple', [emptyTuple, none, Buffer.from('a')], 'appends to a tuple'],
  ['text of 4 GiB', [Buffer.from('X\xff\xff\xff\xff', 'latin1')], 'ends inside its pickle'],
  ['a name without an end', [Buffer.from(`c${'a'.repeat(2000)}`)], 'has an endless name at byte'],
  ['a name that is no text', [int(1), int(2), Buffer.of(0x93)], 'has a name that is no text'],
];

test.each(operations)('%s is refused', async (_, parts, says) => {
  expect(await refusalIn(holding(...parts))).toContain(says);
});

test.each([
  ['a number', pickled(int(3))],
  ['an empty dictionary', pickled(dict([]))],
  ['a list of tensors', pickled(pickle.list(tensorCall(float)))],
  ['a tensor too deep inside', pickled(dict([['a', dict([['model', dict([['w', tensorCall(float)]])]])]]))],
])('%s holds no weights', async (_, content) => {
  expect(await refusalIn(content)).toContain('holds no tensors by name');
});

test.each([
  ['protocol 0', Buffer.from('(dp0\n.'), 'does not start with a protocol'],
  ['protocol 1', Buffer.of(0x80, 1, 0x7d, 0x2e), 'has protocol 1, not 2 to 5'],
  ['nothing', Buffer.alloc(0), 'ends inside its pickle'],
  [
    'a pickle of more than 16 MiB',
    Buffer.alloc(2 ** 24 + 1),
    'member archive/data.pkl has 16777217 bytes, more than the allowed 16777216',
  ],
])('%s is refused', async (_, content, says) => {
  expect(await refusalIn(content)).toContain(says);
});

describe('hostile sizes', () => {
  test.each([
    ['lists', ']'],
    ['marks', '('],
    ['dictionaries in dictionaries', '}'],
  ])('%s without end are stopped', async (_, operation) => {
    expect(await refusalIn(pickled(Buffer.alloc(2 ** 23, operation)))).toContain(
      'has more than 500000 operations',
    );
  });

  test('a tuple nested a hundred thousand times is read without recursion', async () => {
    const nested = Buffer.concat([none, Buffer.alloc(100_000, 0x85)]);
    expect(await refusalIn(pickled(nested))).toContain('holds no tensors by name');
  });

  test('references to references do not grow', async () => {
    const doubled = Array.from({ length: 60 }, (_, i) => Buffer.of(0x71, i, 0x68, i, 0x86));
    expect(await refusalIn(pickled(none, ...doubled))).toContain('holds no tensors by name');
  });

  test('a tensor of 2^50 elements in a storage of one is listed, but never read', async () => {
    const path = join(scratchDirectory(), 'pytorch_model.bin');
    const wide = { ...float, elements: 1, dims: [2n ** 25n, 2n ** 25n], strides: [0, 0] };
    await writeFile(path, torchZip(holding(tensorCall(wide)), { 0: new Uint8Array(4) }));
    const files = await openTensorFiles([path]);
    await expect(files.readRange('weight', 0, 4)).rejects.toThrow('tensor weight lies in an order');
    await files.close();
  });
});

test.each(formats)('random operations end in a refusal, never in anything else: %s', async (_, file) => {
  const path = join(scratchDirectory(), 'pytorch_model.bin');
  const known = [
    ...'()].NKMQRTUX]abcehjqrstu}',
    '\x85',
    '\x86',
    '\x87',
    '\x88',
    '\x8a',
    '\x8c',
    '\x93',
    '\x94',
  ];
  const operation = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...known).map((code) => Buffer.from(code, 'latin1')) },
    {
      weight: 2,
      arbitrary: fc.constantFrom(orderedDict, rebuild, text('storage'), text('model'), tensorCall(float)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 4 }).map((bytes) => Buffer.from(bytes)) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40 }), async (parts) => {
      await writeFile(path, file(pickled(...parts)));
      await expect(openTensorFiles([path])).rejects.toThrow(UserError);
    }),
    { numRuns: 300 },
  );
});

async function refusalIn(content: Uint8Array): Promise<string> {
  const path = join(scratchDirectory(), 'pytorch_model.bin');
  await writeFile(path, torchZip(content, { 0: new Uint8Array(16) }));
  return refusalOf(path);
}
