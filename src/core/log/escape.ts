/**
 * Making foreign bytes safe in a line, exactly as HAProxy does (configuration manual 8.6): in a request line, control characters,
 * bytes from 127 on, `"` and `#` become `#XX`; with the flag E the characters `"`, `\` and `]` get a backslash
 * (RFC 5424 §6.3.3), those that were not encoded already.
 */
import { hexDigits } from './write.ts';

export function writeEncoded(
  out: Uint8Array,
  offset: number,
  bytes: Uint8Array,
  start: number,
  end: number,
  withBackslash: boolean,
): number {
  for (let index = start; index < end; index++) {
    const byte = bytes[index];
    // Comparisons, not a table: nearly all bytes of a request line are above `#` and below 127, and a look-up costs more.
    if ((byte > hash && byte < 127) || byte === space || byte === exclamationMark) {
      if (withBackslash && needsBackslash(byte)) out[offset++] = backslash;
      out[offset++] = byte;
    } else {
      out[offset++] = hash;
      out[offset++] = hexDigits[byte >> 4];
      out[offset++] = hexDigits[byte & 15];
    }
  }
  return offset;
}

/** Text of our own configuration: nothing is encoded, only the flag E matters. */
export function writeEscapedText(out: Uint8Array, offset: number, text: string): number {
  for (let index = 0; index < text.length; index++) {
    const byte = text.charCodeAt(index);
    if (needsBackslash(byte)) out[offset++] = backslash;
    out[offset++] = byte;
  }
  return offset;
}

const space = 0x20;
const exclamationMark = 0x21;
const hash = 0x23;
const quote = 0x22;
const backslash = 0x5c;
const closingBracket = 0x5d;

function needsBackslash(byte: number): boolean {
  return byte === quote || byte === backslash || byte === closingBracket;
}
