import { UserError } from '../core/errors.js';
import { nearMatches } from '../core/near-matches.js';
import type { TaskInfo } from '../milebench/dataset.js';

/**
 * The tasks a run asks for by dataset or column name, in the order of the dataset root and without repetitions.
 * Throws a `UserError` for a name that is neither; `where(index)` says where the name stands.
 */
export function chooseTasks(
  tasks: readonly TaskInfo[],
  { names, where }: { readonly names: 'all' | readonly string[]; readonly where: (index: number) => string },
): TaskInfo[] {
  if (names === 'all') return [...tasks];
  const known = [...new Set(tasks.flatMap(({ name, column }) => [name, column]))];
  for (const [index, name] of names.entries()) {
    if (known.includes(name)) continue;
    const near = nearMatches(name, known);
    const hint = near.length === 0 ? '' : `did you mean ${near.join(' or ')}? `;
    const fix = `${hint}\`lookm list tasks\` shows all`;
    throw new UserError({ what: `unknown task or column "${name}"`, where: where(index), fix });
  }
  return tasks.filter(({ name, column }) => names.includes(name) || names.includes(column));
}
