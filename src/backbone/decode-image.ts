import sharp, { type Sharp } from 'sharp';
import { messageOf, UserError } from '../core/errors.js';
import { bytesOf } from '../core/tensor.js';
import { gifFirstFrame } from './gif-first-frame.js';
import { readImageFile } from './image-file.js';
import type { RgbImage } from './rgb-image.js';

/** Pillow refuses larger images as decompression bombs (twice `MAX_IMAGE_PIXELS`), so the reference cannot read them either. */
export const maxImagePixels = 178_956_970;

/** The longest side JPEG can store; longer ones only come from files made to exhaust a reader. */
export const maxImageSide = 65_535;

const readableFormats = 'PNG, JPEG, WebP and GIF';

type ImageFormat = 'png' | 'jpeg' | 'webp' | 'gif';

/**
 * Reads an image file as PIL `Image.open(path).convert('RGB')` does; see `decodeImage`.
 *
 * Throws `UserError` when the file is missing, too large, truncated or no image.
 */
export async function readImage(path: string): Promise<RgbImage> {
  return decodeImage(await readImageFile(path), path);
}

/**
 * Decodes an image to 8-bit RGB [height, width, 3] exactly as PIL `convert('RGB')`: alpha is dropped and not
 * blended, ICC profiles and EXIF orientation are ignored, CMYK is converted without a profile, 16-bit colour
 * keeps the high byte, 16-bit grey is clipped to 255, of an animation the first frame is taken.
 *
 * `name` stands in error messages. Throws `UserError` when the bytes are truncated, corrupt, no image of a
 * readable format, or have more than `maxImagePixels` pixels.
 */
export async function decodeImage(bytes: Uint8Array, name: string): Promise<RgbImage> {
  const format = formatOf(bytes);
  if (format === undefined) {
    throw new UserError({
      what: `not an image of a readable format (${readableFormats})`,
      where: name,
      fix: 'convert the image to PNG',
    });
  }
  try {
    if (format === 'gif') return await decodeGif(bytes, name);
    if (format === 'png') return await decodePng(bytes, name);
    const metadata = await sharp(bytes, { limitInputPixels: false }).metadata();
    refuseTooLarge(metadata, name);
    if (format === 'jpeg' && metadata.space === 'cmyk') return await decodeCmyk(openImage(bytes));
    return await decodeColour(openImage(bytes));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      { what: `cannot decode the image (${oneLine(error)})`, where: name, fix: 'replace the damaged file' },
      { cause: error },
    );
  }
}

function refuseTooLarge({ width, height }: { width: number; height: number }, name: string): void {
  if (width * height <= maxImagePixels && Math.max(width, height) <= maxImageSide) return;
  throw new UserError({
    what: `image of ${width} x ${height} pixels is beyond the limits (${maxImagePixels} pixels, side ${maxImageSide})`,
    where: name,
    fix: 'store a smaller image',
  });
}

/** Decoder errors can span lines and end in a full stop; problems are told in one clause. */
function oneLine(error: unknown): string {
  return messageOf(error)
    .trim()
    .split(/\s*\n\s*/)
    .join(', ')
    .replace(/[.:]$/, '');
}

function formatOf(bytes: Uint8Array): ImageFormat | undefined {
  const start = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, 12)).toString('latin1');
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (start.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (start.startsWith('RIFF') && start.startsWith('WEBP', 8)) return 'webp';
  if (start.startsWith('GIF87a') || start.startsWith('GIF89a')) return 'gif';
  return undefined;
}

/** `failOn: 'error'` because a truncated file must never become half an image; mere warnings pass, as in PIL. */
function openImage(bytes: Uint8Array): Sharp {
  return sharp(bytes, { failOn: 'error', ignoreIcc: true, limitInputPixels: maxImagePixels });
}

async function decodeColour(pipeline: Sharp): Promise<RgbImage> {
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: colourChannels(data, info.channels) };
}

/** [pixels, channels] -> [pixels, 3]: grey is repeated, alpha is dropped. */
function colourChannels(samples: Uint8Array, channels: number): Uint8Array {
  if (channels === 3) return bytesOf(samples);
  const pixels = samples.length / channels;
  const green = channels < 3 ? 0 : 1;
  const blue = channels < 3 ? 0 : 2;
  const data = new Uint8Array(3 * pixels);
  for (let pixel = 0, from = 0, to = 0; pixel < pixels; pixel++, from += channels, to += 3) {
    data[to] = samples[from]!;
    data[to + 1] = samples[from + green]!;
    data[to + 2] = samples[from + blue]!;
  }
  return data;
}

/** The decoder guesses the canvas of some files anew, so only the frame is taken from it and pasted here. */
async function decodeGif(bytes: Uint8Array, name: string): Promise<RgbImage> {
  const { opaque, frame, canvas, backdrop } = gifFirstFrame(bytes);
  refuseTooLarge(canvas, name);
  const decoded = await decodeColour(openImage(opaque));
  const { width, height } = canvas;
  const data = new Uint8Array(3 * width * height);
  for (let at = 0; at < data.length; at += 3) data.set(backdrop, at);
  const columns = Math.min(frame.left + frame.width, decoded.width);
  const rows = Math.min(frame.top + frame.height, decoded.height);
  for (let row = frame.top; row < rows; row++) {
    const from = 3 * decoded.width * row;
    const samples = decoded.data.subarray(from + 3 * frame.left, from + 3 * columns);
    data.set(samples, 3 * (width * row + frame.left));
  }
  return { width, height, data };
}

/** Bytes up to the end of IHDR's data, which comes first in every PNG. */
const pngHeaderBytes = 33;

/** Size and kind come from IHDR: asking the decoder for them would cost as much as decoding a small image. */
async function decodePng(bytes: Uint8Array, name: string): Promise<RgbImage> {
  if (bytes.length < pngHeaderBytes) throw new Error('the PNG header is cut off');
  const header = new DataView(bytes.buffer, bytes.byteOffset, pngHeaderBytes);
  refuseTooLarge({ width: header.getUint32(16), height: header.getUint32(20) }, name);
  return isGrey16(bytes) ? decodeGrey16(openImage(bytes)) : decodeColour(openImage(bytes));
}

/** IHDR holds the bit depth in byte 24 and the colour type in byte 25; type 0 is grey without alpha. */
function isGrey16(png: Uint8Array): boolean {
  return png[24] === 16 && png[25] === 0;
}

/** PIL reads 16-bit grey as 32-bit integers and clips them to 0..255 on conversion (Convert.c, `i2rgb`). */
async function decodeGrey16(pipeline: Sharp): Promise<RgbImage> {
  const { data, info } = await pipeline
    .pipelineColourspace('grey16')
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true });
  const pixels = info.width * info.height;
  const rgb = new Uint8Array(3 * pixels);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const grey = Math.min(data.readUInt16LE(2 * info.channels * pixel), 255);
    rgb.fill(grey, 3 * pixel, 3 * pixel + 3);
  }
  return { width: info.width, height: info.height, data: rgb };
}

/**
 * PIL takes every CMYK JPEG as inverted (Adobe's convention) and converts by R = (255-K)(255-C)/255 in rounded
 * 8-bit arithmetic (Convert.c, `cmyk2rgb`). The decoder has already undone the inversion.
 */
async function decodeCmyk(pipeline: Sharp): Promise<RgbImage> {
  const { data, info } = await pipeline
    .pipelineColourspace('cmyk')
    .toColourspace('cmyk')
    .raw()
    .toBuffer({ resolveWithObject: true });
  const pixels = info.width * info.height;
  const rgb = new Uint8Array(3 * pixels);
  for (let pixel = 0, from = 0, to = 0; pixel < pixels; pixel++, from += 4, to += 3) {
    const light = 255 - data[from + 3]!;
    for (let channel = 0; channel < 3; channel++) {
      const scaled = data[from + channel]! * light + 128;
      rgb[to + channel] = light - (((scaled >> 8) + scaled) >> 8);
    }
  }
  return { width: info.width, height: info.height, data: rgb };
}
