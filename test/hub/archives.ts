import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { type Header, pack } from 'tar-stream';
import { repositoryPath } from '../support/fixture-path.js';

/** A member of an archive, as it is written. */
export interface Member {
  readonly header: Partial<Header> & Pick<Header, 'name'>;
  readonly content?: Buffer | string;
}

/** A tar archive of the members. */
export async function tarOf(members: readonly Member[]): Promise<Buffer> {
  const archive = pack({});
  for (const { header, content = '' } of members) archive.entry(header, content);
  archive.finalize();
  const pieces: Uint8Array[] = [];
  for await (const piece of archive as AsyncIterable<Uint8Array>) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** A `.tar.gz` of the members. */
export async function archiveOf(members: readonly Member[]): Promise<Buffer> {
  return promisify(gzip)(await tarOf(members));
}

const image = repositoryPath('datasets/minimile/PictureNumbers/images');

/** The members of a small dataset that the loader accepts: one question with one real image a sample. */
export async function datasetMembers(name: string, { samples = 2, top = '' } = {}): Promise<Member[]> {
  const annotationFile = repositoryPath('datasets/minimile/PictureNumbers/PictureNumbers.json');
  const source = JSON.parse(await readFile(annotationFile, 'utf8')) as {
    data: { task_instance: { images_path: string[] } }[];
  };
  const file = source.data[0]!.task_instance.images_path[0]!;
  const content = await readFile(`${image}/${file}`);
  const data = Array.from({ length: samples }, (_, index) => ({
    sample_id: index,
    task_instruction_id: 0,
    task_instance: {
      context: 'What is in {image#1}?',
      images_path: [`${index}.png`],
      choice_list: ['a cat', 'a dog'],
    },
    response: 'a dog',
    image_quantity_level: 'Few',
  }));
  const meta_data = { task_instruction: ['Look.'], question_type: 'multi-choice', num_sample: samples };
  return [
    { header: { name: `${top}${name}/`, type: 'directory' } },
    { header: { name: `${top}${name}/${name}.json` }, content: JSON.stringify({ meta_data, data }) },
    ...data.map((_, index) => ({ header: { name: `${top}${name}/images/${index}.png` }, content })),
  ];
}
