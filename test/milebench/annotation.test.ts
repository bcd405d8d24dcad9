import { describe, expect, test } from 'vitest';
import { parsePythonJson } from '../../src/core/python-json.js';
import { readAnnotation } from '../../src/milebench/annotation.js';

const file = 'X/X.json';
const good = {
  sample_id: 1,
  task_instruction_id: 0,
  task_instance: { context: '{image#1} n?', images_path: ['a.jpg'] },
  response: 'A',
};

function read(data: readonly unknown[], meta: object = { task_instruction: ['Answer.'] }) {
  return readAnnotation({ meta_data: meta, data }, file);
}

function onlyFailure(data: readonly unknown[]): string {
  const { samples, failures } = read([...data, { ...good, sample_id: 'good' }]);
  expect(samples.map((sample) => sample.sampleId)).toEqual(['good']);
  expect(failures).toHaveLength(1);
  return failures[0]!.error.message;
}

describe('an annotation', () => {
  test('gives samples as the pipeline uses them', () => {
    const { samples, failures, questionType, taskInstructions } = read(
      [
        {
          ...good,
          sample_id: '12',
          task_instance: {
            context: 'q',
            images_path: ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg'],
            choice_list: ['x', 2, null, true],
            combined_1_images: ['12-0.jpg'],
            extra: 1,
          },
          image_quantity_level: 'Few',
        },
      ],
      { task_instruction: ['Answer.'], question_type: 'multi-choice', num_sample: 1 },
    );
    expect(failures).toEqual([]);
    expect(questionType).toBe('multi-choice');
    expect(taskInstructions).toEqual(['Answer.']);
    expect(samples).toEqual([
      {
        sampleId: '12',
        taskInstructionId: 0,
        context: 'q',
        imageNames: ['a.jpg', 'b.jpg', 'c.jpg', 'd.jpg', 'e.jpg', 'f.jpg'],
        combinedImageNames: new Map([[1, ['12-0.jpg']]]),
        choices: ['x', '2', 'None', 'True'],
        response: 'A',
        quantityLevel: 'Medium',
      },
    ]);
  });

  test.each([
    ['7', '7'],
    ['7.0', '7.0'],
    ['null', 'None'],
    ['true', 'True'],
    ['["a", "b"]', "['a', 'b']"],
    ['{"b": 1, "2": [false, null]}', "{'b': 1, '2': [False, None]}"],
    ['1e3', '1000.0'],
    ['-0', '0'],
    ['123456789012345678901234567890', '123456789012345678901234567890'],
    ['[NaN, -Infinity]', '[nan, -inf]'],
  ])('gives the response %s the text Python gives it', (json, text) => {
    const { samples } = read([{ ...good, response: parsePythonJson(json) }]);
    expect(samples[0]!.response).toBe(text);
  });

  test('has open questions without choice_list, or with null for it', () => {
    const { task_instance } = good;
    const empty = { ...good, sample_id: 2, task_instance: { ...task_instance, choice_list: null } };
    expect(read([good, empty]).samples.map(({ choices }) => choices)).toEqual([null, null]);
  });

  test.each([
    ['"q-7"', 'q-7'],
    ['7', '7'],
    ['1000000000000000', '1000000000000000'],
    ['123456789012345678901', '123456789012345678901'],
  ])('takes the id %s', (json, id) => {
    expect(read([{ ...good, sample_id: parsePythonJson(json) }]).samples[0]!.sampleId).toBe(id);
  });

  test('keeps the pictures of every combined mode apart', () => {
    const pictures = { combined_1_images: ['1-0.jpg'], combined_4_images: ['1-0.jpg', '1-1.jpg'] };
    const { samples } = read([{ ...good, task_instance: { ...good.task_instance, ...pictures } }]);
    expect(samples[0]!.combinedImageNames).toEqual(
      new Map([
        [1, ['1-0.jpg']],
        [4, ['1-0.jpg', '1-1.jpg']],
      ]),
    );
  });

  test('takes instructions keyed by identifier, and positions from the end as Python does', () => {
    const keyed = read([{ ...good, task_instruction_id: 'b' }], { task_instruction: { b: 'Answer.' } });
    expect(keyed.failures).toEqual([]);
    expect(read([{ ...good, task_instruction_id: -1 }]).failures).toEqual([]);
  });

  test.each([
    ['no response', { ...good, response: undefined }, 'X/X.json, sample 1, field response: is missing'],
    [
      'no images_path',
      { ...good, task_instance: { context: 'q' } },
      'X/X.json, sample 1, field task_instance.images_path: ',
    ],
    [
      'an image that is no name',
      { ...good, task_instance: { context: 'q', images_path: ['a.jpg', 7] } },
      'X/X.json, sample 1, field task_instance.images_path.1: ',
    ],
    [
      'a context that is no text',
      { ...good, task_instance: { context: null, images_path: [] } },
      'X/X.json, sample 1, field task_instance.context: ',
    ],
    [
      'choices that are no list',
      { ...good, task_instance: { context: 'q', images_path: [], choice_list: 'x' } },
      'X/X.json, sample 1, field task_instance.choice_list: ',
    ],
    [
      'combined images that are no list',
      { ...good, task_instance: { context: 'q', images_path: [], combined_1_images: 'x' } },
      'X/X.json, sample 1, field task_instance.combined_1_images: ',
    ],
    [
      'an instruction that is not there',
      { ...good, task_instruction_id: 4 },
      'X/X.json, sample 1, field task_instruction_id: there is no task instruction 4',
    ],
    ['a broken id', { ...good, sample_id: 1.5 }, 'X/X.json, sample #0, field sample_id: '],
    ['no object', 'text', 'X/X.json, sample #0: '],
  ])('turns a sample with %s into a failure and keeps the others', (_name, sample, message) => {
    expect(onlyFailure([sample])).toContain(message);
  });

  test('turns the second sample of the same id into a failure, be the id a number or text', () => {
    const { samples, failures } = read([good, { ...good, sample_id: '1' }]);
    expect(samples).toHaveLength(1);
    expect(failures[0]).toMatchObject({ sampleId: '1' });
    expect(failures[0]!.error.message).toContain(
      'sample 1, field sample_id: the id is used by an earlier sample',
    );
  });

  test.each([
    ['a list', [], file],
    ['no data', { meta_data: { task_instruction: [] } }, `${file}, field data`],
    ['no meta_data', { data: [] }, `${file}, field meta_data`],
    [
      'instructions that are numbers',
      { meta_data: { task_instruction: [1] }, data: [] },
      `${file}, field meta_data.task_instruction: expected a list of strings or an object of strings`,
    ],
  ])('is refused as a whole when it is %s', (_name, json, message) => {
    expect(() => readAnnotation(json, file)).toThrow(message);
  });
});
