import type { Cell, SampleRecord } from '../../src/bench/record.js';

export const full: Cell = { method: 'full', semantics: 'release', budget: null, firstToken: 'prefill' };

export function cell(method: string, share: number, firstToken: Cell['firstToken']): Cell {
  return { method, semantics: 'release', budget: { recent: share / 2, important: share / 2 }, firstToken };
}

/** A record with the fields a table reads; 100 prompt tokens in two layers. */
export function record(fields: {
  readonly cell: Cell;
  readonly task?: string;
  readonly column?: string;
  readonly sampleId?: string;
  readonly metric?: string;
  readonly level?: SampleRecord['quantityLevel'];
  /** Under both scorings. */
  readonly score?: number;
  readonly scores?: SampleRecord['scores'];
  readonly rows?: number;
  readonly steps?: readonly number[];
  readonly prefill?: number;
  readonly compress?: number;
}): SampleRecord {
  const {
    rows = 100,
    steps = [],
    sampleId = '1',
    task = 'PictureNumbers',
    column = 'S-2',
    score = 1,
    metric = 'accuracy',
  } = fields;
  const answerScore = { score, extracted: null };
  return {
    version: 2,
    key: JSON.stringify([fields.cell, task, sampleId]),
    backbone: 'tiny',
    task,
    column,
    metric,
    sampleId,
    quantityLevel: fields.level ?? 'Few',
    cell: fields.cell,
    answer: 'a',
    tokens: [1],
    response: 'a',
    choices: null,
    scores: fields.scores ?? { release: answerScore, fixed: answerScore },
    prompt: { tokens: 100, textTokens: 19, images: 1, sha256: '', pixelsSha256: '' },
    cache: {
      rows: [rows, rows],
      bytesCompressed: rows * 2 ** 14,
      bytesEnd: (rows + 1) * 2 ** 14,
      effectiveRatio: rows / 100,
      keptSha256: [],
      outcome: 'compressed',
    },
    time: { prefill: fields.prefill ?? 50, compress: fields.compress ?? 2, decode: 0, steps: [...steps] },
  };
}
