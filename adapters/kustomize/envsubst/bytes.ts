/**
 * Go's strings are bytes; offsets, lengths and halves of letters depend on it. A ByteText is a JavaScript string in which each character is one byte
 * of the UTF-8 text.
 */
export type ByteText = string;

export function toBytes(text: string): ByteText {
  return Buffer.from(text, 'utf8').toString('latin1');
}

/** The text, or null when the bytes are no valid UTF-8. */
export function fromBytes(bytes: ByteText): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.from(bytes, 'latin1'));
  } catch {
    return null;
  }
}

export type Rune = Readonly<{ point: number; width: number }>;

const BROKEN: Rune = Object.freeze({ point: 0xfffd, width: 1 });

/** One character at an offset, as Go's utf8.DecodeRune: a byte that starts no valid character counts as U+FFFD of width 1. The offset must be inside. */
export function runeAt(bytes: ByteText, offset: number): Rune {
  const first = bytes.charCodeAt(offset);
  if (first < 0x80) return { point: first, width: 1 };
  const width = first >= 0xf0 && first < 0xf5 ? 4 : first >= 0xe0 && first < 0xf0 ? 3 : first >= 0xc2 && first < 0xe0 ? 2 : 0;
  if (width === 0 || offset + width > bytes.length) return BROKEN;
  let point = first & (0xff >> (width + 1));
  for (let index = 1; index < width; index += 1) {
    const next = bytes.charCodeAt(offset + index);
    if ((next & 0xc0) !== 0x80) return BROKEN;
    point = (point << 6) | (next & 0x3f);
  }
  const tooLong = (width === 3 && point < 0x800) || (width === 4 && point < 0x10000);
  if (tooLong || point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return BROKEN;
  return { point, width };
}

export function runesOf(bytes: ByteText): readonly number[] {
  const points: number[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const { point, width } = runeAt(bytes, offset);
    points.push(point);
    offset += width;
  }
  return points;
}

export function fromRunes(points: readonly number[]): ByteText {
  return toBytes(points.map((point) => String.fromCodePoint(point)).join(''));
}
