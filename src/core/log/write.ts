/**
 * Writing text into a line without making strings: every function writes at `offset` and returns the new end.
 * A write past the end of `out` is lost (typed arrays ignore it) and the end goes on counting, so that the caller
 * clamps once, at the end of the line, as HAProxy truncates a line that doesn't fit.
 */

/** ASCII text. Characters above 255 lose their high byte: names in a configuration are ASCII (manual 2.2). */
export function writeText(out: Uint8Array, offset: number, text: string): number {
  for (let index = 0; index < text.length; index++) out[offset++] = text.charCodeAt(index);
  return offset;
}

/** Bytes [start, end) of `from`. Up to a line's usual length a loop beats the call of `set` and the view that it needs. */
export function writeBytes(out: Uint8Array, offset: number, from: Uint8Array, start: number, end: number): number {
  if (end - start > 256 && offset + end - start <= out.length) {
    out.set(from.subarray(start, end), offset);
    return offset + end - start;
  }
  for (let index = start; index < end; index++) out[offset++] = from[index];
  return offset;
}

/** Decimal digits of an integer; a fraction is cut off. Exact up to 2^53. */
export function writeInteger(out: Uint8Array, offset: number, value: number): number {
  let rest = Math.trunc(value);
  if (rest < 0) {
    out[offset++] = minus;
    rest = -rest;
  }
  if (rest < 10) {
    out[offset++] = zero + rest;
    return offset;
  }
  if (rest < 100) {
    const tens = (rest / 10) | 0;
    out[offset] = zero + tens;
    out[offset + 1] = zero + rest - tens * 10;
    return offset + 2;
  }
  let digits = 3;
  for (let bound = 1000; rest >= bound; bound *= 10) digits++;
  const end = offset + digits;
  // 32-bit arithmetic is several times cheaper, and nearly every number of a log line fits.
  let index = end - 1;
  for (; rest > 0x7fffffff; index--) {
    const tenth = Math.floor(rest / 10);
    out[index] = zero + (rest - tenth * 10);
    rest = tenth;
  }
  for (let small = rest | 0; index >= offset; index--) {
    const tenth = (small / 10) | 0;
    out[index] = zero + (small - tenth * 10);
    small = tenth;
  }
  return end;
}

/** Exactly `width` decimal digits of a number below 2^31, padded with zeros. */
export function writePadded(out: Uint8Array, offset: number, value: number, width: number): number {
  let rest = value | 0;
  for (let index = offset + width - 1; index >= offset; index--) {
    const tenth = (rest / 10) | 0;
    out[index] = zero + (rest - tenth * 10);
    rest = tenth;
  }
  return offset + width;
}

/** Upper-case hexadecimal, at least `width` digits: C's `%04X` for width 4. Negative values as 32-bit two's complement. */
export function writeHex(out: Uint8Array, offset: number, value: number, width: number): number {
  return writeText(
    out,
    offset,
    (value < 0 ? value >>> 0 : Math.trunc(value)).toString(16).toUpperCase().padStart(width, '0'),
  );
}

export const hexDigits = writtenHexDigits();

function writtenHexDigits(): Uint8Array {
  const digits = new Uint8Array(16);
  writeText(digits, 0, '0123456789ABCDEF');
  return digits;
}

const zero = 0x30;
const minus = 0x2d;
