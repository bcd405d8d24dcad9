/** `os.path.join(directory, name)` on POSIX: an absolute name replaces the directory. */
function joinPath(directory: string, name: string): string {
  if (name.startsWith('/')) return name;
  return directory === '' || directory.endsWith('/') ? directory + name : `${directory}/${name}`;
}

/** The field of `task_instance` and the folder that hold a sample's images combined into `count` pictures. */
export function combinedImagesName(count: number): string {
  return `combined_${count}_images`;
}

/** Paths of images in a folder, joined as the official code joins them. */
export function imagePaths(imageDir: string, names: readonly string[]): string[] {
  return names.map((name) => joinPath(imageDir, name));
}

/**
 * Paths of combined images. Source: MileBench `utils.py`: every occurrence of the last part of `imageDir` in the whole
 * path becomes the folder of the combined images; with a closing slash that part is empty and the folder's name is
 * inserted around every character.
 */
export function combinedImagePaths(imageDir: string, count: number, names: readonly string[]): string[] {
  const folder = combinedImagesName(count);
  const lastPart = imageDir.slice(imageDir.lastIndexOf('/') + 1);
  return imagePaths(imageDir.replaceAll(lastPart, folder), names);
}
