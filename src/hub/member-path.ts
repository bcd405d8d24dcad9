/** Where a member of an archive lies, or why it may lie nowhere. */
export type MemberPath =
  | { readonly kind: 'inside'; readonly segments: readonly string[] }
  | { readonly kind: 'refused'; readonly why: string };

/** The smallest limit of a whole path on the systems that Node.js runs on (macOS), in bytes. */
const mostPathBytes = 1024;

/** The limit of one name on every common file system, in bytes. */
const mostNameBytes = 255;

/**
 * Reads a member's name as a path below the directory that is extracted into. `.` and doubled slashes are dropped;
 * whatever could lead elsewhere, on any operating system, is refused.
 */
export function readMemberPath(name: string): MemberPath {
  const refused = (why: string): MemberPath => ({ kind: 'refused', why });
  if (Buffer.byteLength(name) > mostPathBytes)
    return refused(`its name is longer than ${mostPathBytes} bytes`);
  if (hasControlCharacter(name)) return refused('its name has a control character');
  if (name.includes('\\')) return refused('its name has a backslash');
  if (name.startsWith('/')) return refused('its path is absolute');
  const segments = name.split('/').filter((segment) => segment !== '' && segment !== '.');
  for (const segment of segments) {
    if (segment === '..') return refused('its path leads upwards');
    if (/^[A-Za-z]:/.test(segment)) return refused('its path names a drive');
    if (Buffer.byteLength(segment) > mostNameBytes)
      return refused(`"${segment.slice(0, 20)}…" is too long a name`);
  }
  return { kind: 'inside', segments };
}

/** NUL would end the name early, the others would break messages. */
function hasControlCharacter(name: string): boolean {
  for (let index = 0; index < name.length; index += 1) {
    const code = name.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}
