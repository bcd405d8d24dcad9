import { printable } from '../printable.js';
import type { OpenFile } from '../read-fully.js';
import { exactUint64, readPart } from './read-part.js';
import { damaged, refused } from './torch-fault.js';
import { readZipDirectory } from './zip-end.js';

const centralSignature = 0x02014b50;
const centralBytes = 46;
const localSignature = 0x04034b50;
const localBytes = 30;

/** Stands in a 32-bit field for a number that is in the 64-bit extra field. */
const in64Bits = 0xffffffff;
const extra64Id = 1;
const encryptedFlag = 1;

/** A member of a zip file that is stored as it is: its bytes can be read in place. */
export interface ZipMember {
  readonly name: string;
  /** First byte of its content, counted from the start of the file. */
  readonly offset: number;
  readonly bytes: number;
}

/** A member as the list at the end of the file describes it. */
interface ListedMember {
  readonly name: string;
  readonly rawName: Buffer;
  readonly headerOffset: number;
  readonly bytes: number;
}

/**
 * The members of a zip file by name. Only what `torch.save` writes is accepted: members that are stored, one after
 * another, each once. Anything compressed is refused, so no member can be larger than the file.
 *
 * @throws UserError naming file and member
 */
export async function readZipMembers(
  file: OpenFile,
  fileBytes: number,
): Promise<ReadonlyMap<string, ZipMember>> {
  const directory = await readZipDirectory(file, fileBytes);
  const list = await readPart(file, {
    position: directory.offset,
    bytes: directory.bytes,
    part: 'its zip directory',
  });
  const listed = listedMembers(list, directory.members, file.path);
  listed.sort((a, b) => a.headerOffset - b.headerOffset);
  const members = new Map<string, ZipMember>();
  for (const [i, member] of listed.entries()) {
    const limit = listed[i + 1]?.headerOffset ?? directory.offset;
    const offset = await contentOffset(file, member, limit);
    if (offset + member.bytes > limit) {
      throw damaged(
        file.path,
        `member ${printable(member.name)} claims ${member.bytes} bytes, more than there are before what follows it`,
      );
    }
    if (members.has(member.name)) throw damaged(file.path, `member ${printable(member.name)} is there twice`);
    members.set(member.name, { name: member.name, offset, bytes: member.bytes });
  }
  return members;
}

function listedMembers(list: Buffer, count: number, path: string): ListedMember[] {
  const members: ListedMember[] = [];
  let start = 0;
  while (start < list.length) {
    const entry = list.subarray(start);
    if (entry.length < centralBytes || entry.readUInt32LE(0) !== centralSignature) break;
    const nameEnd = centralBytes + entry.readUInt16LE(28);
    const extraEnd = nameEnd + entry.readUInt16LE(30);
    const end = extraEnd + entry.readUInt16LE(32);
    if (end > entry.length) break;
    members.push(listedMember(entry, { nameEnd, extra: entry.subarray(nameEnd, extraEnd) }, path));
    start += end;
  }
  if (start !== list.length || members.length !== count) {
    throw damaged(path, `its zip directory announces ${count} members, but lists ${members.length}`);
  }
  return members;
}

function listedMember(
  entry: Buffer,
  { nameEnd, extra }: { nameEnd: number; extra: Buffer },
  path: string,
): ListedMember {
  const rawName = entry.subarray(centralBytes, nameEnd);
  const name = rawName.toString('utf8');
  const method = entry.readUInt16LE(10);
  if (method !== 0) {
    throw refused(
      path,
      `member ${printable(name)} is compressed (method ${method}); torch stores all as they are`,
    );
  }
  if ((entry.readUInt16LE(8) & encryptedFlag) !== 0)
    throw refused(path, `member ${printable(name)} is encrypted`);
  const wide = wideNumbers(extra, { path, part: `member ${printable(name)}` });
  const number = (field: number): number => {
    const value = entry.readUInt32LE(field);
    return value === in64Bits ? wide.next() : value;
  };
  const bytes = number(24);
  const stored = number(20);
  const headerOffset = number(42);
  if (stored !== bytes) {
    throw damaged(path, `member ${printable(name)} is stored, but in ${stored} bytes instead of ${bytes}`);
  }
  return { name, rawName, headerOffset, bytes };
}

/** The numbers of the 64-bit extra field, in order. */
function wideNumbers(extra: Buffer, where: { path: string; part: string }): { next(): number } {
  let [at, end] = [0, 0];
  for (let start = 0; start + 4 <= extra.length; ) {
    const next = start + 4 + extra.readUInt16LE(start + 2);
    if (extra.readUInt16LE(start) === extra64Id && next <= extra.length) [at, end] = [start + 4, next];
    start = next;
  }
  return {
    next() {
      if (at + 8 > end) throw damaged(where.path, `${where.part} lacks its size or place`);
      at += 8;
      return exactUint64(extra, at - 8, where);
    },
  };
}

/** Where a member's content starts: behind a header of its own, which must name the same member. */
async function contentOffset(file: OpenFile, member: ListedMember, limit: number): Promise<number> {
  const { headerOffset, rawName } = member;
  const part = `member ${printable(member.name)}`;
  const headerBytes = localBytes + rawName.length;
  if (headerOffset + headerBytes > limit) throw damaged(file.path, `${part} overlaps what follows it`);
  const header = await readPart(file, { position: headerOffset, bytes: headerBytes, part });
  if (header.readUInt32LE(0) !== localSignature || !header.subarray(localBytes).equals(rawName)) {
    throw damaged(file.path, `${part} is not where the zip directory says`);
  }
  const nameBytes = header.readUInt16LE(26);
  if (header.readUInt16LE(8) !== 0 || nameBytes !== rawName.length) {
    throw damaged(file.path, `${part} is described in two ways`);
  }
  return headerOffset + headerBytes + header.readUInt16LE(28);
}
