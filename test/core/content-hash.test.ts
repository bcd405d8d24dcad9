import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson, hashJson, sha256 } from '../../src/core/content-hash.js';

it('is JSON of the same value, whatever the order of its keys', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  const ordered = { a: [1, { c: null, b: 'x' }], d: { f: true, e: -0.5 } };
  const shuffled = { d: { e: -0.5, f: true }, a: [1, { b: 'x', c: null }] };
  expect(canonicalJson(ordered)).toBe('{"a":[1,{"b":"x","c":null}],"d":{"e":-0.5,"f":true}}');
  expect(hashJson(shuffled)).toBe(hashJson(ordered));
});

it('leaves undefined fields out', () => {
  expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
});

it('hashes text as its UTF-8 bytes', () => {
  expect(sha256('é')).toBe(sha256(new Uint8Array([0xc3, 0xa9])));
  expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
