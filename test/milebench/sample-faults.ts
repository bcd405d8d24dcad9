import type { DraftSample } from './tree-drafts.js';
import {
  choices,
  context,
  type Faults,
  field,
  inSecond,
  instance,
  onAnnotation,
  paths,
} from './tree-fault.js';

/** Faults of single samples. */
export const sampleFaults: Faults = {
  'sample is a text': {
    edit: ({ data }) => data.splice(1, 1, 'sample' as unknown as DraftSample),
    lines: ['error sample-shape: @json, sample #1: expected an object, found the text "sample"'],
  },
  'no sample_id': {
    ...field('sample_id', undefined),
    lines: ['error sample-id: @json, sample #1, field sample_id: is missing'],
  },
  'sample_id null': {
    ...field('sample_id', null),
    lines: ['error sample-id: @json, sample #1, field sample_id: expected an integer or a text, found null'],
  },
  'sample_id empty': {
    ...field('sample_id', ''),
    lines: [
      'error sample-id: @json, sample #1, field sample_id: expected an integer or a text, found an empty text',
    ],
  },
  'sample_id is a float': {
    ...onAnnotation((text) => text.replace('"sample_id": 2', '"sample_id": 2.0')),
    lines: [
      'error sample-id: @json, sample #1, field sample_id: expected an integer or a text, found the number 2.0',
    ],
  },
  'sample_id no integer': {
    ...field('sample_id', 'b2'),
    lines: [
      'error sample-id: @json, sample b2, field sample_id: the official scorer cannot read the text "b2" as an integer',
    ],
  },
  'sample_id twice': {
    ...field('sample_id', 1),
    lines: [
      'error sample-id-duplicate: @json, sample 1, field sample_id: the id is used by an earlier sample',
    ],
  },
  'sample_id twice, as number and text': {
    ...field('sample_id', '1'),
    lines: [
      'error sample-id-duplicate: @json, sample 1, field sample_id: the id is used by an earlier sample',
    ],
  },
  'sample_id twice as an integer': {
    ...field('sample_id', ' 01'),
    lines: [
      'error sample-id-duplicate: @json, sample  01, field sample_id: the id is used by an earlier sample ("1" is the same integer)',
    ],
  },
  'no instruction id': {
    ...field('task_instruction_id', undefined),
    lines: ['error instruction-id: @json#2, field task_instruction_id: is missing'],
  },
  'instruction id out of range': {
    ...field('task_instruction_id', 2),
    lines: ['error instruction-id: @json#2, field task_instruction_id: there is no task instruction 2'],
  },
  'instruction id a text for a list': {
    ...field('task_instruction_id', '0'),
    lines: ['error instruction-id: @json#2, field task_instruction_id: there is no task instruction "0"'],
  },
  'no task_instance': {
    ...field('task_instance', undefined),
    lines: ['error sample-shape: @json#2, field task_instance: is missing'],
  },
  'no context': {
    ...instance({ context: undefined }),
    lines: [`error context: @json#2, field ${context}: is missing`],
  },
  'context is a list': {
    ...instance({ context: ['text'] }),
    lines: [`error context: @json#2, field ${context}: expected a text, found a list of length 1`],
  },
  'no images_path': {
    ...instance({ images_path: undefined }),
    lines: [`error images-path: @json#2, field ${paths}: is missing`],
  },
  'images_path is a text': {
    ...instance({ images_path: '2_0.png' }),
    lines: [
      `error images-path: @json#2, field ${paths}: expected a list of at most 4096 entries, found the text "2_0.png"`,
    ],
  },
  'image names are numbers': {
    ...instance({ images_path: [20, '2_1.jpg', 22.5] }),
    lines: [
      `error images-path: @json#2, field ${paths}.0: expected a name, found the number 20`,
      `error images-path: @json#2, field ${paths}.2: expected a name, found the number 22.5`,
    ],
  },
  'an image name is empty': {
    ...instance({ images_path: ['2_0.png', '', '2_2.png'] }),
    lines: [`error images-path: @json#2, field ${paths}.1: expected a name, found an empty text`],
  },
  'no images': {
    ...inSecond((second) => {
      second.task_instance['images_path'] = [];
      second.task_instance['context'] = 'How many?';
    }),
    lines: [
      `error images-path: @json#2, field ${paths}: there is no image, and the official pipeline divides by their number`,
    ],
  },
  'too many images': {
    ...instance({ images_path: Array.from({ length: 4097 }, () => '2_0.png') }),
    lines: [
      `error images-path: @json#2, field ${paths}: expected a list of at most 4096 entries, found a list of length 4097`,
    ],
  },
  'no choices': {
    ...instance({ choice_list: undefined }),
    lines: [`error choice-list: @json#2, field ${choices}: is missing`],
  },
  'choices null in an open question': {
    metric: 'rouge-l',
    ...instance({ choice_list: null }),
    lines: [
      `error choice-list: @json#2, field ${choices}: expected a list of at most 4096 entries, found null`,
    ],
  },
  'choice list empty': {
    ...instance({ choice_list: [] }),
    lines: [`error choice-list: @json#2, field ${choices}: there is no choice in the list`],
  },
  'a choice is a number': {
    ...instance({ choice_list: [2.5, 'two birds'] }),
    lines: [
      `error choice-list: @json#2, field ${choices}.0: expected a text, found the number 2.5, at which the official scorer stops`,
    ],
  },
  'choices equal once normalised': {
    ...instance({ choice_list: ['two birds', 'one', 'Two birds.'] }),
    lines: [`warning choices-equal: @json#2, field ${choices}.2: is choice 0 again once normalised`],
  },
  'choices past Z': {
    ...instance({ choice_list: ['two birds', ...Array.from({ length: 26 }, (_, i) => `${i}`)] }),
    lines: [
      `warning choices-past-z: @json#2, field ${choices}: there are 27 choices, and those past 26 are lettered [, \\, ] …`,
    ],
  },
  'no response': {
    ...field('response', undefined),
    lines: ['error response: @json#2, field response: is missing'],
  },
  'response is no choice': {
    ...field('response', 'four birds'),
    lines: [
      'error response-no-choice: @json#2, field response: the text "four birds" is none of the 3 choices',
    ],
  },
  'response null': {
    metric: 'rouge-l',
    ...field('response', null),
    lines: ['error response: @json#2, field response: is null'],
  },
  'response without words': {
    metric: 'rouge-l',
    ...field('response', ' ... '),
    lines: [
      'error response: @json#2, field response: nothing is left of the text " ... " once it is normalised for scoring',
    ],
  },
  'needle of two words': {
    dataset: 'TextNeedleInAHaystack',
    metric: 'needle',
    ...field('response', '57 3'),
    lines: [
      'warning response-unmatchable: @json#2, field response: the text "57 3" is more than one word, and a needle is compared word by word',
    ],
  },
  'no image level': {
    ...field('image_quantity_level', undefined),
    lines: [
      'error quantity-level: @json#2, field image_quantity_level: is missing, and the official scorer requires it',
    ],
  },
  'image level differs': {
    ...field('image_quantity_level', 'Many'),
    lines: [
      'warning quantity-level-differs: @json#2, field image_quantity_level: is "Many", but 3 images are "Few"',
    ],
  },
  'image level unknown': {
    ...field('image_quantity_level', 3),
    lines: ['warning quantity-level-differs: @json#2, field image_quantity_level: the number 3 is no level'],
  },
  'references beyond the images': {
    ...instance({ context: '{image#1} {image#2} {image#3} {image#4} {table#03} Why?' }),
    lines: [
      `warning reference-beyond: @json#2, field ${context}: refers to {image#4}, {table#03}, but the sample has 3 images`,
    ],
  },
  'fewer references than images': {
    ...instance({ context: '{image#1} {table#2} Why?' }),
    lines: [
      `warning places-differ: @json#2, field ${context}: has 2 places for 3 images; the official pipeline puts one more in front and drops the other images`,
    ],
  },
  'more references than images': {
    ...instance({ context: '{image#1} {image#2} {image#3} Why {image#1}?' }),
    lines: [
      `warning places-differ: @json#2, field ${context}: has 4 places for 3 images; the first of them stay without image`,
    ],
  },
  'references in another order': {
    ...instance({ context: '{image#1} {image#3} {image#2} Why?' }),
    lines: [
      `warning places-order: @json#2, field ${context}: place 2 names image 3, but images attach in the order of images_path`,
    ],
  },
};
