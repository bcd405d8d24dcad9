import type { OpenFile } from '../read-fully.js';
import { exactUint64, readPart } from './read-part.js';
import { damaged } from './torch-fault.js';

const endSignature = 0x06054b50;
const endBytes = 22;
const locatorSignature = 0x07064b50;
const locatorBytes = 20;
const end64Signature = 0x06064b50;
const end64Bytes = 56;

/** A shard has some hundred members, a model in one file a thousand; bounds what a hostile file makes us read. */
const maxMembers = 20_000;
const maxDirectoryBytes = 4 * 1024 * 1024;

/** Where the list of members lies in a zip file. */
export interface ZipDirectory {
  readonly offset: number;
  readonly bytes: number;
  readonly members: number;
}

/**
 * Finds the list of members by the record at the end of a zip file, in the plain and the 64-bit form. torch writes no
 * comment behind it, so the record is where the file ends and nothing needs to be searched for.
 *
 * @throws UserError naming the file
 */
export async function readZipDirectory(file: OpenFile, fileBytes: number): Promise<ZipDirectory> {
  const { path } = file;
  const part = 'its zip directory';
  const tailBytes = Math.min(fileBytes, endBytes + locatorBytes);
  const tail = await readPart(file, { position: fileBytes - tailBytes, bytes: tailBytes, part });
  const end = tail.subarray(-endBytes);
  if (end.length < endBytes || end.readUInt32LE(0) !== endSignature) {
    throw damaged(path, 'does not end with a zip directory');
  }
  if (end.readUInt32LE(4) !== 0) throw damaged(path, 'is one of several parts of a zip file');
  const locator = tail.subarray(0, -endBytes);
  let directory = {
    members: end.readUInt16LE(10),
    bytes: end.readUInt32LE(12),
    offset: end.readUInt32LE(16),
  };
  let directoryEnd = fileBytes - endBytes;
  if (locator.length === locatorBytes && locator.readUInt32LE(0) === locatorSignature) {
    directoryEnd = fileBytes - endBytes - locatorBytes - end64Bytes;
    const end64 = await readPart(file, { position: Math.max(0, directoryEnd), bytes: end64Bytes, part });
    const where = { path, part };
    if (exactUint64(locator, 8, where) !== directoryEnd || end64.readUInt32LE(0) !== end64Signature) {
      throw damaged(path, 'its zip directory is not where it says');
    }
    directory = {
      members: exactUint64(end64, 32, where),
      bytes: exactUint64(end64, 40, where),
      offset: exactUint64(end64, 48, where),
    };
  }
  if (directory.bytes > maxDirectoryBytes || directory.members > maxMembers) {
    throw damaged(
      path,
      `its zip directory claims ${directory.members} members in ${directory.bytes} bytes, more than the allowed ${maxMembers} in ${maxDirectoryBytes}`,
    );
  }
  if (directory.offset + directory.bytes !== directoryEnd) {
    throw damaged(path, 'its zip directory is not where it says');
  }
  return directory;
}
