import {
  type Document,
  isCollection,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  type Node,
  parseDocument,
} from 'yaml';
import { messageOf, UserError } from '../core/errors.js';

/** A file of settings is a page; anything larger is the wrong file. */
const mostYamlCharacters = 1_000_000;

export type FieldPath = readonly PropertyKey[];

/** A kind of file, as messages speak of it. */
export interface YamlKind {
  /** `run file` */
  readonly name: string;
  /** A file that shows every key. */
  readonly example: string;
  /** Every key by the path of the object that holds it. */
  readonly keys: Readonly<Record<string, readonly string[]>>;
}

/** A parsed YAML file that knows where each of its values stands. */
export interface YamlSource {
  /** The whole content as plain values. */
  readonly value: unknown;
  /** `file:line:column: field` of a value, or of the nearest enclosing one when it is not written in the file. */
  where(path: FieldPath): string;
  /** The same of a key. */
  whereKey(path: FieldPath, key: string): string;
}

/** `dataset.tasks[1]`. */
function fieldName(path: FieldPath): string {
  return path
    .map((part, depth) =>
      typeof part === 'number' ? `[${part}]` : `${depth === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}

function writtenPart(document: Document, path: FieldPath): { path: FieldPath; node: Node | null } {
  let node: Node | null = isNode(document.contents) ? document.contents : null;
  for (const [depth, part] of path.entries()) {
    const child: unknown = isCollection(node) ? node.get(part, true) : undefined;
    if (!isNode(child)) return { path: path.slice(0, depth), node };
    node = child;
  }
  return { path, node };
}

/**
 * Parses the text of a YAML file. `file` is its name in messages.
 *
 * Throws a `UserError` with line and column when the text is not one YAML document of a mapping.
 */
export function parseYaml({
  text,
  file,
  kind,
}: {
  readonly text: string;
  readonly file: string;
  readonly kind: YamlKind;
}): YamlSource {
  if (text.length > mostYamlCharacters) {
    throw new UserError({
      what: `longer than ${mostYamlCharacters} characters`,
      where: file,
      fix: `is this a ${kind.name}?`,
    });
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const [broken] = document.errors;
  if (broken) {
    const where = at(broken.pos[0]);
    if (broken.code === 'MULTIPLE_DOCS') {
      throw new UserError({ what: 'a second document starts here', where, fix: 'keep one document a file' });
    }
    const [reason] = broken.message.split('\n');
    throw new UserError({ what: `not valid YAML: ${reason}`, where, fix: 'correct the file' });
  }
  if (!isMap(document.contents)) {
    const fix = `start from ${kind.example}`;
    const what = `expected keys such as ${(kind.keys[''] ?? []).slice(0, 2).join(': and ')}:`;
    const where = at(document.contents?.range?.[0] ?? 0);
    throw new UserError({ what, where, fix });
  }
  return {
    value: plainValue(document, file),
    where: (path) => {
      const { path: written, node } = writtenPart(document, path);
      const place = at(node?.range?.[0] ?? 0);
      return written.length === 0 ? place : `${place}: ${fieldName(written)}`;
    },
    whereKey: (path, key) => {
      const { node } = writtenPart(document, path);
      const pair = isMap(node)
        ? node.items.find((item) => isScalar(item.key) && String(item.key.value) === key)
        : undefined;
      const keyNode = isNode(pair?.key) ? pair.key : node;
      return `${at(keyNode?.range?.[0] ?? 0)}: ${fieldName([...path, key])}`;
    },
  };
}

function plainValue(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // Unresolved or explosive aliases.
    throw new UserError({
      what: `not valid YAML: ${messageOf(error)}`,
      where: file,
      fix: 'write the values out',
    });
  }
}
