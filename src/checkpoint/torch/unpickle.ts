import { printable } from '../printable.js';
import { readLiteral } from './pickle-literals.js';
import { opcodes, otherOpcode } from './pickle-opcodes.js';
import { PickleReader } from './pickle-reader.js';
import { kindOf, type PickleTuple, type PickleValue } from './pickle-values.js';
import { damaged, refused } from './torch-fault.js';

/** A file of weights takes some 30 opcodes a tensor; bounds time and memory of a hostile one. */
const maxOperations = 500_000;

/** A frame's length, which only matters to who reads the pickle piece by piece. */
const frameBytes = 8;

/** What the names, calls and outside objects of a pickle mean. Each throws `UserError` for what it does not know. */
export interface PickleMeaning {
  global(module: string, name: string): PickleValue;
  call(callee: PickleValue, args: PickleTuple): PickleValue;
  persistent(id: PickleValue): PickleValue;
}

/**
 * Reads the pickle that starts at byte `start`. Nothing is imported, called or executed: only the opcodes that weights
 * need are known, and `meaning` says what becomes of names and calls.
 *
 * @returns the value, and the byte after the pickle
 * @throws UserError naming the file and what was not understood
 */
export function unpickle(
  bytes: Uint8Array,
  { start, path, meaning }: { start: number; path: string; meaning: PickleMeaning },
): { value: PickleValue; end: number } {
  const machine = new PickleMachine(new PickleReader(bytes, start, path), meaning);
  return machine.run();
}

class PickleMachine {
  readonly #reader: PickleReader;
  readonly #meaning: PickleMeaning;
  readonly #memo = new Map<number, PickleValue>();
  /** The stacks put aside at marks. */
  readonly #outer: PickleValue[][] = [];
  #stack: PickleValue[] = [];

  constructor(reader: PickleReader, meaning: PickleMeaning) {
    this.#reader = reader;
    this.#meaning = meaning;
  }

  run(): { value: PickleValue; end: number } {
    if (this.#reader.uint8() !== opcodes.protocol) throw this.#damaged('does not start with a protocol');
    const protocol = this.#reader.uint8();
    if (protocol < 2 || protocol > 5) throw this.#damaged(`has protocol ${protocol}, not 2 to 5`);
    for (let count = 0; count < maxOperations; count++) {
      const code = this.#reader.uint8();
      if (code === opcodes.stop) return { value: this.#pop(), end: this.#reader.position };
      this.#execute(code);
    }
    throw refused(this.#reader.path, `its pickle has more than ${maxOperations} operations`);
  }

  #execute(code: number): void {
    const literal = readLiteral(this.#reader, code);
    const value = literal === undefined ? this.#computed(code) : literal;
    if (value === undefined) this.#act(code);
    else this.#stack.push(value);
  }

  /** The value that an opcode makes of others; undefined for those that make none. */
  #computed(code: number): PickleValue | undefined {
    switch (code) {
      case opcodes.tuple1:
        return { kind: 'tuple', items: this.#popMany(1) };
      case opcodes.tuple2:
        return { kind: 'tuple', items: this.#popMany(2) };
      case opcodes.tuple3:
        return { kind: 'tuple', items: this.#popMany(3) };
      case opcodes.tuple:
        return { kind: 'tuple', items: this.#popToMark() };
      case opcodes.binGet:
        return this.#recall(this.#reader.uint8());
      case opcodes.longBinGet:
        return this.#recall(this.#reader.uint32());
      case opcodes.global:
        return this.#meaning.global(this.#reader.line(), this.#reader.line());
      case opcodes.stackGlobal:
        return this.#stackGlobal();
      case opcodes.reduce:
        return this.#reduce();
      case opcodes.binPersistentId:
        return this.#meaning.persistent(this.#pop());
      default:
        return undefined;
    }
  }

  #act(code: number): void {
    switch (code) {
      case opcodes.frame:
        this.#reader.skip(frameBytes);
        break;
      case opcodes.mark:
        this.#outer.push(this.#stack);
        this.#stack = [];
        break;
      case opcodes.append:
        this.#append([this.#pop()]);
        break;
      case opcodes.appends:
        this.#append(this.#popToMark());
        break;
      case opcodes.setItem:
        this.#setItems(this.#popMany(2));
        break;
      case opcodes.setItems:
        this.#setItems(this.#popToMark());
        break;
      case opcodes.binPut:
        this.#memo.set(this.#reader.uint8(), this.#top());
        break;
      case opcodes.longBinPut:
        this.#memo.set(this.#reader.uint32(), this.#top());
        break;
      case opcodes.memoize:
        this.#memo.set(this.#memo.size, this.#top());
        break;
      case opcodes.build:
        this.#build();
        break;
      default:
        throw this.#unknown(code);
    }
  }

  #pop(): PickleValue {
    const value = this.#stack.pop();
    if (value === undefined) throw this.#damaged('takes a value that is not there');
    return value;
  }

  #popMany(count: number): PickleValue[] {
    if (this.#stack.length < count) throw this.#damaged('takes values that are not there');
    return this.#stack.splice(-count);
  }

  /** The values since the last mark. */
  #popToMark(): PickleValue[] {
    const outer = this.#outer.pop();
    if (outer === undefined) throw this.#damaged('takes a mark that is not there');
    const items = this.#stack;
    this.#stack = outer;
    return items;
  }

  #top(): PickleValue {
    const value = this.#stack.at(-1);
    if (value === undefined) throw this.#damaged('uses a value that is not there');
    return value;
  }

  #append(items: readonly PickleValue[]): void {
    const list = this.#top();
    if (list === null || typeof list !== 'object' || list.kind !== 'list') {
      throw this.#damaged(`appends to ${kindOf(list)}`);
    }
    for (const item of items) list.items.push(item);
  }

  #setItems(items: readonly PickleValue[]): void {
    const dict = this.#top();
    if (dict === null || typeof dict !== 'object' || dict.kind !== 'dict') {
      throw this.#damaged(`sets items of ${kindOf(dict)}`);
    }
    if (items.length % 2 !== 0) throw this.#damaged('sets a key without a value');
    for (let i = 0; i < items.length; i += 2) dict.entries.set(items[i]!, items[i + 1]!);
  }

  #recall(index: number): PickleValue {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#damaged(`recalls value ${index}, which it never stored`);
    return value;
  }

  #stackGlobal(): PickleValue {
    const [module, name] = this.#popMany(2);
    if (typeof module !== 'string' || typeof name !== 'string')
      throw this.#damaged('has a name that is no text');
    return this.#meaning.global(module, name);
  }

  #reduce(): PickleValue {
    const args = this.#pop();
    const callee = this.#pop();
    if (args === null || typeof args !== 'object' || args.kind !== 'tuple') {
      throw this.#damaged(`calls with ${kindOf(args)} for arguments`);
    }
    return this.#meaning.call(callee, args);
  }

  /** A state dictionary carries attributes, such as its modules' versions; they are not needed. */
  #build(): void {
    this.#pop();
    const object = this.#top();
    if (object === null || typeof object !== 'object' || object.kind !== 'dict') {
      throw refused(
        this.#reader.path,
        `its pickle sets the state (BUILD) of ${kindOf(object)}, which is not part of weights`,
      );
    }
  }

  #unknown(code: number): Error {
    const reader = this.#reader;
    const at = `at byte ${reader.position - 1}`;
    if (code === opcodes.instance) {
      const name = printable(`${reader.line()}.${reader.line()}`);
      return refused(
        reader.path,
        `its pickle makes an instance (INST) of ${name}, which is not part of weights`,
      );
    }
    const name = otherOpcode(code);
    return name === undefined
      ? this.#damaged(`has no operation with code ${code}, found ${at}`)
      : refused(reader.path, `its pickle uses the operation ${name} ${at}, which weights do not need`);
  }

  #damaged(what: string): Error {
    return damaged(this.#reader.path, `its pickle ${what}`);
  }
}
