/** How much an archive may hold. */
export interface ArchiveLimits {
  readonly mostMembers: number;
  readonly mostMemberBytes: number;
  /** Unpacked, headers and padding included. */
  readonly mostBytes: number;
  /** Unpacked bytes for each packed one, beyond `freeBytes`. */
  readonly mostExpansion: number;
  /** Unpacked bytes that are always allowed: small archives of small files are mostly padding. */
  readonly freeBytes: number;
}

const mebibyte = 2 ** 20;

export const archiveLimits: ArchiveLimits = Object.freeze({
  // All of MileBench has some hundred thousand images.
  mostMembers: 500_000,
  // The loader reads no larger annotation, and images are far smaller.
  mostMemberBytes: 256 * mebibyte,
  // All of MileBench has a few GiB.
  mostBytes: 64 * 1024 * mebibyte,
  // Images hardly shrink and annotations shrink to a tenth; gzip's bombs reach a thousand.
  mostExpansion: 20,
  freeBytes: 64 * mebibyte,
});

/** Unpacked bytes that an archive of `packedBytes` bytes may have. */
export function unpackedBound(
  { mostBytes, mostExpansion, freeBytes }: ArchiveLimits,
  packedBytes: number,
): number {
  return Math.min(mostBytes, freeBytes + mostExpansion * packedBytes);
}
