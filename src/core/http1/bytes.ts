/** Byte classes of RFC 9110 §5 and RFC 9112 as tables: one lookup a byte, no branches. */

const token = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** For a token byte (RFC 9110 §5.6.2) its lower-case form, 0 for every other byte. */
export const lowerToken: Uint8Array = table((byte, char) => (token.includes(char) ? lowerCase(byte) : 0));

/** 1 for bytes a field value may hold: HTAB, SP, VCHAR, obs-text (RFC 9110 §5.5). NUL, CR, LF and other controls are 0. */
export const valueByte: Uint8Array = table((byte) => (byte === 9 || (byte >= 32 && byte !== 127) ? 1 : 0));

/** 1 for bytes of a request target: visible ASCII without '#', since a fragment is never sent (RFC 9112 §3.2). */
export const targetByte: Uint8Array = table((byte, char) => (byte > 32 && byte < 127 && char !== '#' ? 1 : 0));

/** 1 for bytes of a host with port: visible ASCII without delimiters that would let two readers see two hosts (RFC 3986 §3.2.2). */
export const hostByte: Uint8Array = table((byte, char) =>
  byte > 32 && byte < 127 && !',/@?#\\"<>^`{|}'.includes(char) ? 1 : 0,
);

/** 0..15 for hexadecimal digits, 255 for other bytes. */
export const hexDigit: Uint8Array = table((byte, char) =>
  '0123456789abcdef'.includes(char.toLowerCase()) ? Number.parseInt(String.fromCharCode(byte), 16) : 255,
);

/** Lower-case of ASCII letters, other bytes as they are. */
export const lower: Uint8Array = table((byte) => lowerCase(byte));

/** ASCII bytes of a text (characters above 0xff are a mistake of ours and lose their high bits). */
export function ascii(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** Text of bytes [start, end), one character a byte. Allocates: for logs and tests, not for the byte path. */
export function text(buffer: Uint8Array, start: number, end: number): string {
  let out = '';
  for (let i = start; i < end; i++) out += String.fromCharCode(buffer[i]!);
  return out;
}

/** True when buffer[start, end) equals `name` (already lower case), ASCII case ignored. */
export function equalsLower(buffer: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (end - start !== name.length) return false;
  for (let i = 0; i < name.length; i++) if (lower[buffer[start + i]!] !== name[i]) return false;
  return true;
}

/** True when the two ranges of one buffer hold the same text, ASCII case ignored. */
export function rangesEqualLower(buffer: Uint8Array, a: number, aEnd: number, b: number, bEnd: number): boolean {
  if (aEnd - a !== bEnd - b) return false;
  for (let i = 0; a + i < aEnd; i++) if (lower[buffer[a + i]!] !== lower[buffer[b + i]!]) return false;
  return true;
}

/** Decimal number of digits only, or -1: no sign, no spaces, not empty, at most 15 digits (exact in a double). */
export function decimal(buffer: Uint8Array, start: number, end: number): number {
  let first = start;
  while (first < end - 1 && buffer[first] === 48) first++;
  if (end <= start || end - first > 15) return -1;
  let value = 0;
  for (let i = first; i < end; i++) {
    const digit = buffer[i]! - 48;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function lowerCase(byte: number): number {
  return byte >= 65 && byte <= 90 ? byte + 32 : byte;
}

function table(of: (byte: number, char: string) => number): Uint8Array {
  const result = new Uint8Array(256);
  for (let byte = 0; byte < 256; byte++) result[byte] = of(byte, String.fromCharCode(byte));
  return result;
}
