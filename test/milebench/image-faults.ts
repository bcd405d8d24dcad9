import { mkdir, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { jpeg, png } from './tree-drafts.js';
import { type Faults, instance, paths, secondImage } from './tree-fault.js';

/** The start of a PNG that promises 100,000 x 100,000 pixels. */
const hugePng = Buffer.from(png);
hugePng.writeUInt32BE(100_000, 16);
hugePng.writeUInt32BE(100_000, 20);

/** Faults of images and of the pictures they are combined into. */
export const imageFaults: Faults = {
  'combined images are a text': {
    ...instance({ combined_1_images: '2-0.jpg' }),
    lines: [
      'error combined-images: @json#2, field task_instance.combined_1_images: expected a list of at most 4096 entries, found the text "2-0.jpg"',
    ],
  },
  'combined images are too few': {
    ...instance({ combined_2_images: ['2-0.jpg'] }),
    disk: async ({ folder }) => {
      await mkdir(path.join(folder, 'combined_2_images'));
      await writeFile(path.join(folder, 'combined_2_images/2-0.jpg'), jpeg);
    },
    lines: [
      'error combined-images: @json#2, field task_instance.combined_2_images: names 1 pictures, but 3 images are combined into 2',
    ],
  },
  'a combined picture is missing': {
    ...instance({ combined_1_images: ['2-0.jpg'] }),
    disk: ({ folder }) => mkdir(path.join(folder, 'combined_1_images')),
    lines: [
      'error image-unavailable: @json#2, field task_instance.combined_1_images.0: the image "2-0.jpg" does not exist',
    ],
  },
  'the folder of combined pictures is missing': {
    ...instance({ combined_1_images: ['2-0.jpg'] }),
    lines: ['error image-folder: @/combined_1_images: the folder of images is missing'],
  },

  'image missing': {
    ...secondImage((image) => rm(image)),
    lines: [`error image-unavailable: @json#2, field ${paths}.1: the image "2_1.jpg" does not exist`],
  },
  'image is a folder': {
    ...secondImage(async (image) => {
      await rm(image);
      await mkdir(image);
    }),
    lines: [`error image-unavailable: @json#2, field ${paths}.1: the image "2_1.jpg" is not a file`],
  },
  'image empty': {
    ...secondImage((image) => truncate(image, 0)),
    lines: [`error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg" is an empty file`],
  },
  'JPEG cut off': {
    ...secondImage((image) => truncate(image, jpeg.length - 40)),
    lines: [
      `error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg": cannot decode the image (…)`,
    ],
  },
  'PNG cut off': {
    ...secondImage((image) => writeFile(image, png.subarray(0, png.length - 20))),
    lines: [
      `error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg": cannot decode the image (…)`,
    ],
  },
  'image is a web page': {
    ...secondImage((image) => writeFile(image, '<html>404</html>')),
    lines: [
      `error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg": not an image of a readable format (…)`,
    ],
  },
  'image too large': {
    ...secondImage((image) => writeFile(image, hugePng)),
    lines: [
      `error image-damaged: @json#2, field ${paths}.1: the image "2_1.jpg": image of 100000 x 100000 pixels is beyond the limits (…)`,
    ],
  },
  'image by an absolute path': {
    ...instance({ images_path: ['2_0.png', '/etc/hostname', '2_2.png'] }),
    lines: [
      `error image-unavailable: @json#2, field ${paths}.1: the image "/etc/hostname" is not a path inside the folder of images`,
    ],
  },
  'image by a path through ..': {
    ...instance({ images_path: ['2_0.png', '../../columns.json', '2_2.png'] }),
    lines: [
      `error image-unavailable: @json#2, field ${paths}.1: the image "../../columns.json" is not a path inside the folder of images`,
    ],
  },
  'image links out of the root': {
    ...secondImage(async (image, { root }) => {
      await rename(image, path.join(root, '../outside.jpg'));
      await symlink(path.join(root, '../outside.jpg'), image);
    }),
    lines: [
      `error image-unavailable: @json#2, field ${paths}.1: the image "2_1.jpg" leads out of the folder of images`,
    ],
  },
  'image links to nothing': {
    ...secondImage(async (image) => {
      await rm(image);
      await symlink('nothing.jpg', image);
    }),
    lines: [`error image-unavailable: @json#2, field ${paths}.1: the image "2_1.jpg" does not exist`],
  },
  'folder of images missing': {
    disk: ({ images }) => rm(images, { recursive: true }),
    lines: ['error image-folder: @/images: the folder of images is missing'],
  },
  'folder of images is a file': {
    disk: async ({ images }) => {
      await rm(images, { recursive: true });
      await writeFile(images, '');
    },
    lines: ['error image-folder: @/images: the folder of images cannot be read (…)'],
  },
  'folder of images links out of the root': {
    disk: async ({ root, images }) => {
      await rename(images, path.join(root, '../images-outside'));
      await symlink(path.join(root, '../images-outside'), images);
    },
    lines: ['error image-folder: @/images: the folder of images is a link out of the root'],
  },
};
