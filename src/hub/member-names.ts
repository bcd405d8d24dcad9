/**
 * Keeps the paths that an archive has used apart. Names that differ in case or in Unicode composition only are the same
 * file on many disks, so they count as repeated on all.
 */
export class MemberNames {
  readonly #used = new Map<string, { readonly kind: 'file' | 'folder'; readonly exact: string }>();

  /** Takes a path for a member. Returns why it cannot be had, `null` when it can. */
  claim(segments: readonly string[], kind: 'file' | 'folder'): string | null {
    for (let depth = 1; depth < segments.length; depth += 1) {
      const why = this.#claimFolder(segments.slice(0, depth).join('/'));
      if (why !== null) return why;
    }
    const path = segments.join('/');
    if (kind === 'folder') return this.#claimFolder(path);
    const other = this.#used.get(fold(path));
    if (other !== undefined) return `it repeats ${JSON.stringify(other.exact)}`;
    this.#used.set(fold(path), { kind, exact: path });
    return null;
  }

  #claimFolder(path: string): string | null {
    const other = this.#used.get(fold(path));
    if (other === undefined) this.#used.set(fold(path), { kind: 'folder', exact: path });
    else if (other.kind === 'file') return `it makes a folder of the file ${JSON.stringify(other.exact)}`;
    else if (other.exact !== path)
      return `its folder differs from ${JSON.stringify(other.exact)} in case only`;
    return null;
  }
}

function fold(path: string): string {
  return path.normalize('NFC').toLowerCase();
}
