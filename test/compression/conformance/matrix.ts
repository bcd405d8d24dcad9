import type { Property } from './property.js';
import type { Subject } from './subjects.js';

/** Subjects by properties: how many checks were passed. */
export class ConformanceMatrix {
  readonly #passed = new Map<string, number>();

  passed(subject: Subject, property: Property, checks: number): void {
    this.#passed.set(`${subject.title}/${property.name}`, checks);
  }

  /** All checks of all cells. */
  get checks(): number {
    return [...this.#passed.values()].reduce((sum, checks) => sum + checks, 0);
  }

  /** A table in Markdown; a dash where a property does not apply. */
  table(subjects: readonly Subject[], properties: readonly Property[]): string {
    const cell = (subject: Subject, property: Property): string => {
      if (!property.applies(subject)) return '–';
      return String(this.#passed.get(`${subject.title}/${property.name}`) ?? 'FAILED');
    };
    const rows = [
      ['method', ...properties.map(({ name }) => name)],
      ...subjects.map((subject) => [subject.title, ...properties.map((property) => cell(subject, property))]),
    ];
    const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
    const line = (row: readonly string[]): string =>
      `| ${row.map((text, column) => text.padEnd(widths[column]!)).join(' | ')} |`;
    const rule = widths.map((width) => '-'.repeat(width));
    return [line(rows[0]!), line(rule), ...rows.slice(1).map(line)].join('\n');
  }
}
