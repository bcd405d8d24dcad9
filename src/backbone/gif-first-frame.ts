/** The first frame of a GIF, made opaque, and what lies behind it. */
export interface GifFirstFrame {
  /** The file with the transparency of the first frame switched off. */
  readonly opaque: Uint8Array;
  /** Where the frame lies on the canvas, in pixels. */
  readonly frame: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
  /** Size of the picture: the declared canvas, grown where the frame does not fit (Pillow: GifImagePlugin, `_seek`). */
  readonly canvas: { readonly width: number; readonly height: number };
  /** RGB of the canvas outside the frame. */
  readonly backdrop: readonly [number, number, number];
}

const headerBytes = 13;
const extensionMark = 0x21;
const graphicControlLabel = 0xf9;
const transparencyFlag = 0x01;
const colourTableFlag = 0x80;
const imageDescriptorBytes = 10;

/**
 * Finds the first frame of a GIF and switches its transparency off.
 *
 * Pillow keeps palette indices and drops transparency on `convert('RGB')`, so a transparent pixel shows its
 * palette colour, while renderers blank it. The canvas outside a smaller first frame holds the transparent
 * index, or index 0 when there is none (Pillow: GifImagePlugin, `load_prepare`). Bytes beyond the end of a
 * truncated file read as zero; the decoder reports the damage.
 */
export function gifFirstFrame(gif: Uint8Array): GifFirstFrame {
  const opaque = Uint8Array.from(gif);
  const byteAt = (position: number): number => opaque[position] ?? 0;
  const wordAt = (position: number): number => byteAt(position) | (byteAt(position + 1) << 8);
  let transparentIndex = 0;
  let at = headerBytes + colourTableBytes(byteAt(10));
  while (byteAt(at) === extensionMark) {
    if (byteAt(at + 1) === graphicControlLabel && (byteAt(at + 3) & transparencyFlag) !== 0) {
      opaque[at + 3] = byteAt(at + 3) & ~transparencyFlag;
      transparentIndex = byteAt(at + 6);
    }
    at += 2;
    while (byteAt(at) !== 0) at += 1 + byteAt(at);
    at += 1;
  }
  const hasLocalTable = colourTableBytes(byteAt(at + 9)) > 0;
  const colour = (hasLocalTable ? at + imageDescriptorBytes : headerBytes) + 3 * transparentIndex;
  const frame = {
    left: wordAt(at + 1),
    top: wordAt(at + 3),
    width: wordAt(at + 5),
    height: wordAt(at + 7),
  };
  return {
    opaque,
    frame,
    canvas: {
      width: Math.max(wordAt(6), frame.left + frame.width),
      height: Math.max(wordAt(8), frame.top + frame.height),
    },
    backdrop: [byteAt(colour), byteAt(colour + 1), byteAt(colour + 2)],
  };
}

function colourTableBytes(flags: number): number {
  return (flags & colourTableFlag) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
}
