import { opcodes } from './pickle-opcodes.js';
import type { PickleReader } from './pickle-reader.js';
import type { PickleValue } from './pickle-values.js';

/** The value that an opcode and its arguments spell out; undefined for opcodes that do something else. */
export function readLiteral(reader: PickleReader, code: number): PickleValue | undefined {
  switch (code) {
    case opcodes.none:
      return null;
    case opcodes.newTrue:
      return true;
    case opcodes.newFalse:
      return false;
    case opcodes.binInt:
      return reader.int32();
    case opcodes.binInt1:
      return reader.uint8();
    case opcodes.binInt2:
      return reader.uint16();
    case opcodes.long1:
      return reader.integer(reader.uint8());
    case opcodes.binFloat:
      return reader.float64();
    case opcodes.binUnicode:
      return reader.text(reader.uint32(), 'utf8');
    case opcodes.shortBinUnicode:
      return reader.text(reader.uint8(), 'utf8');
    case opcodes.binString:
      return reader.text(reader.uint32(), 'latin1');
    case opcodes.shortBinString:
      return reader.text(reader.uint8(), 'latin1');
    case opcodes.emptyTuple:
      return { kind: 'tuple', items: [] };
    case opcodes.emptyList:
      return { kind: 'list', items: [] };
    case opcodes.emptyDict:
      return { kind: 'dict', entries: new Map() };
    default:
      return undefined;
  }
}
