/** Kinds of repository on the hub; they differ in their addresses only. */
export type RepositoryType = 'dataset' | 'model';

/** A repository and the branch, tag or commit somebody asks for. */
export interface RepositoryRef {
  readonly type: RepositoryType;
  /** `owner/name` */
  readonly id: string;
  readonly revision: string;
}

/** A repository at one commit: its files cannot change any more. */
export interface PinnedRepository extends RepositoryRef {
  readonly commit: string;
}

/** How messages name a repository. */
export function describeRepository({ type, id }: RepositoryRef): string {
  return `${type} ${id}`;
}

function encodePath(text: string): string {
  return text.split('/').map(encodeURIComponent).join('/');
}

/** Address that answers with the commit of a revision. */
export function revisionUrl(endpoint: string, { type, id, revision }: RepositoryRef): string {
  return `${endpoint}/api/${type}s/${encodePath(id)}/revision/${encodeURIComponent(revision)}`;
}

/** Address of the first page of the list of files. */
export function treeUrl(endpoint: string, { type, id, commit }: PinnedRepository): string {
  return `${endpoint}/api/${type}s/${encodePath(id)}/tree/${commit}?recursive=true`;
}

/** Address of one file. Models have no prefix. */
export function fileUrl(endpoint: string, { type, id, commit }: PinnedRepository, file: string): string {
  const prefix = type === 'model' ? '' : `${type}s/`;
  return `${endpoint}/${prefix}${encodePath(id)}/resolve/${commit}/${encodePath(file)}`;
}
