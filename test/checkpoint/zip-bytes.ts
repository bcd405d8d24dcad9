/** A member of a zip file, with what its headers claim if that is not the truth. */
export interface ZipPart {
  readonly name: string;
  readonly content: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  /** Size before compression. */
  readonly claimedBytes?: number;
  readonly claimedOffset?: number;
  /** The name in the header in front of the content. */
  readonly localName?: string;
  /** Puts sizes and place into the 64-bit extra field. */
  readonly wide?: boolean;
}

export interface ZipEnd {
  /** Number of members the end announces. */
  readonly members?: number;
  readonly directoryBytes?: number;
  readonly directoryOffset?: number;
  /** Writes the end in its 64-bit form too, as torch does. */
  readonly wide?: boolean;
}

/**
 * A zip file whose members are stored as they are.
 *
 * @param start bytes in front of the first member that the caller writes
 */
export function zipFile(parts: readonly ZipPart[], end: ZipEnd = {}, start = 0): Buffer {
  const locals: Buffer[] = [];
  const centrals: Buffer[] = [];
  let position = start;
  for (const part of parts) {
    const local = localHeader(part);
    centrals.push(centralHeader(part, part.claimedOffset ?? position));
    locals.push(local, Buffer.from(part.content));
    position += local.length + part.content.length;
  }
  const directory = Buffer.concat(centrals);
  const members = end.members ?? parts.length;
  const bytes = end.directoryBytes ?? directory.length;
  const offset = end.directoryOffset ?? position;
  const tail = Buffer.alloc(22);
  tail.writeUInt32LE(0x06054b50);
  tail.writeUInt16LE(Math.min(members, 0xffff), 8);
  tail.writeUInt16LE(Math.min(members, 0xffff), 10);
  tail.writeUInt32LE(Math.min(bytes, 0xffffffff), 12);
  tail.writeUInt32LE(Math.min(offset, 0xffffffff), 16);
  const wide = (end.wide ?? true) ? wideEnd({ members, bytes, offset, at: position + directory.length }) : [];
  return Buffer.concat([...locals, directory, ...wide, tail]);
}

function localHeader({ name, localName = name, content, method = 0, flags = 0 }: ZipPart): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50);
  header.writeUInt16LE(flags, 6);
  header.writeUInt16LE(method, 8);
  header.writeUInt32LE(content.length, 18);
  header.writeUInt32LE(content.length, 22);
  header.writeUInt16LE(Buffer.byteLength(localName), 26);
  const padding = Buffer.from('FB\x04\x00ZZZZ', 'latin1');
  header.writeUInt16LE(padding.length, 28);
  return Buffer.concat([header, Buffer.from(localName), padding]);
}

function centralHeader(part: ZipPart, offset: number): Buffer {
  const { name, content, method = 0, flags = 0, claimedBytes = content.length, wide = false } = part;
  const stored = method === 0 ? claimedBytes : content.length;
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50);
  header.writeUInt16LE(flags, 8);
  header.writeUInt16LE(method, 10);
  header.writeUInt32LE(wide ? 0xffffffff : stored, 20);
  header.writeUInt32LE(wide ? 0xffffffff : claimedBytes, 24);
  header.writeUInt16LE(Buffer.byteLength(name), 28);
  header.writeUInt32LE(wide ? 0xffffffff : offset, 42);
  const extra = Buffer.alloc(wide ? 28 : 0);
  if (wide) {
    extra.writeUInt16LE(1);
    extra.writeUInt16LE(24, 2);
    for (const [i, number] of [claimedBytes, stored, offset].entries())
      extra.writeBigUInt64LE(BigInt(number), 4 + 8 * i);
  }
  header.writeUInt16LE(extra.length, 30);
  return Buffer.concat([header, Buffer.from(name), extra]);
}

function wideEnd(end: { members: number; bytes: number; offset: number; at: number }): Buffer[] {
  const record = Buffer.alloc(56);
  record.writeUInt32LE(0x06064b50);
  record.writeBigUInt64LE(44n, 4);
  record.writeBigUInt64LE(BigInt(end.members), 24);
  record.writeBigUInt64LE(BigInt(end.members), 32);
  record.writeBigUInt64LE(BigInt(end.bytes), 40);
  record.writeBigUInt64LE(BigInt(end.offset), 48);
  const locator = Buffer.alloc(20);
  locator.writeUInt32LE(0x07064b50);
  locator.writeBigUInt64LE(BigInt(end.at), 8);
  locator.writeUInt32LE(1, 16);
  return [record, locator];
}
