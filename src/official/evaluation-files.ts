import type { Scoring } from '../config/protocols.js';
import { formatPythonJson } from '../core/format-python-json.js';
import type { Evaluation } from './evaluate-predictions.js';

/** What tells files apart that do not hold what the official scripts would write under their names. */
export interface FileVariant {
  readonly scoring: Scoring;
  readonly partial: boolean;
}

/** A file to write: its name and its text. */
export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** `eval.json` as the script calls it; `eval.fixed.json`, `eval.partial.json` for what the script would not write. */
export function variantName(name: string, { scoring, partial }: FileVariant): string {
  const dot = name.lastIndexOf('.');
  const marks = `${scoring === 'fixed' ? '.fixed' : ''}${partial ? '.partial' : ''}`;
  return `${name.slice(0, dot)}${marks}${name.slice(dot)}`;
}

/** Spaces a level of indented files. */
export const fileIndent = 4;

/** The files of one dataset, byte for byte as `evaluate.py` writes them. */
export function evaluationFiles(
  { summary, sampleScores, extracted }: Evaluation,
  variant: FileVariant,
): NamedText[] {
  const indented = { indent: fileIndent, ascii: true };
  const files = [
    { name: 'eval.json', text: formatPythonJson(summary, { ascii: true }) },
    { name: 'eval_score.json', text: formatPythonJson(sampleScores, indented) },
  ];
  if (extracted !== null) {
    files.push({ name: 'pred_with_extracted.json', text: formatPythonJson(extracted, indented) });
  }
  return files.map(({ name, text }) => ({ name: variantName(name, variant), text }));
}
