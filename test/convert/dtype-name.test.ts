import { expect, test } from 'vitest';
import { dtypeName, parseDtypeName } from '../../src/convert/dtype-name.js';
import { textDtypes, visionDtypes, weightFormats } from '../../src/convert/weight-formats.js';
import { blockSizes } from '../../src/onnx/stored-matrix.js';

test.each([
  ['fp32', { dtype: 'fp32' }],
  ['fp32', { dtype: 'fp32', visionDtype: 'fp32' }],
  ['int4', { dtype: 'int4', visionDtype: 'int8', blockSize: 32 }],
  ['int4-b128', { dtype: 'int4', blockSize: 128 }],
  ['int4-vision-fp16', { dtype: 'int4', visionDtype: 'fp16' }],
  ['fp16-vision-int4-b64', { dtype: 'fp16', visionDtype: 'int4', blockSize: 64 }],
] as const)('%s is the name of %j', (name, options) => {
  expect(dtypeName(options)).toBe(name);
});

test('names are equal where the stored weights are, and are read back', () => {
  const formats = new Map<string, unknown>();
  for (const dtype of textDtypes) {
    for (const visionDtype of [undefined, ...visionDtypes]) {
      for (const blockSize of [undefined, ...blockSizes]) {
        const options = { dtype, visionDtype, blockSize };
        const name = dtypeName(options);
        expect(weightFormats(parseDtypeName(name)!)).toEqual(weightFormats(options));
        expect(formats.get(name) ?? weightFormats(options)).toEqual(weightFormats(options));
        formats.set(name, weightFormats(options));
      }
    }
  }
  expect(new Set([...formats.values()].map((format) => JSON.stringify(format))).size).toBe(formats.size);
});

test.each([
  '',
  'int8',
  'INT4',
  'int4-b32',
  'int4-b100',
  'fp32-b64',
  'int4-vision-int8',
  'int4-vision',
  'int4-b64-x',
])('%j is no name', (name) => {
  expect(parseDtypeName(name)).toBeNull();
});
