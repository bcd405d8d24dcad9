import { describeBytes } from '../hub/disk-space.js';
import type { PulledRepository, PullSummary } from '../pull/pull-backbone.js';
import type { Output } from './shell.js';

function origin({ repository, commit }: PulledRepository): string {
  return `${repository} at commit ${commit.slice(0, 12)}`;
}

/** What a pull brought, where it is, and what comes next. */
export function describePull(
  { model, vision, downloadedBytes, hasCheckpoint, bundle }: PullSummary,
  { use, template, paint }: { use: string; template: string | null; paint: Output['paint'] },
): string {
  const repositories = vision === null ? [model] : [model, vision];
  const lines = [`Downloaded ${describeBytes(downloadedBytes)}: ${repositories.map(origin).join(', ')}`];
  const done = paint.green('Done');
  if (bundle === null) {
    const flags = [
      ...(vision === null ? [] : [`--vision ${vision.directory}`]),
      ...(template === null ? [] : [`--template ${template}`]),
    ];
    lines.push(`${done}: ${repositories.map(({ directory }) => directory).join(', ')}`);
    lines.push(`Next: lookm convert ${[model.directory, ...flags].join(' ')} --out <bundle>`);
  } else {
    const was = bundle.status === 'present' ? ', was there' : '';
    lines.push(`${done}: ${bundle.directory} (${describeBytes(bundle.bytes)}${was})`);
    if (hasCheckpoint) {
      const bytes = repositories.reduce((sum, repository) => sum + repository.bytes, 0);
      const kept = `${repositories.map(({ directory }) => directory).join(', ')} (${describeBytes(bytes)})`;
      lines.push(
        `Kept for other element types: ${kept}; delete it at will, or pull with --no-keep-checkpoint`,
      );
    }
    lines.push(`Next: lookm bench --backbone ${use}`);
  }
  return `${lines.join('\n')}\n`;
}
