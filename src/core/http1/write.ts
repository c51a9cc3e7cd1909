/**
 * Writes heads, chunk frames and trailers into one growing buffer that is used again and again. A head that was received is never
 * passed on as it came: it is written anew from its index, names in lower case as HAProxy does, hop-by-hop fields left out or
 * remade (RFC 9110 §7.6.1, RFC 9112 §9.6).
 */
import { lower, lowerToken, rangesEqualLower } from './bytes.ts';
import { field, type Head } from './head.ts';

/** Pieces of body up to this size are copied behind what is written anyway; larger ones go out from where they are. */
export const copyBytesMax = 4_096;

/** A growing byte buffer with the position where the next byte goes. */
export class Output {
  bytes: Uint8Array;
  length = 0;

  /** @param size bytes to begin with; it grows when a head needs more, which the limit on heads bounds. */
  constructor(size: number) {
    this.bytes = new Uint8Array(size);
  }

  /** Makes room for `size` more bytes. */
  reserve(size: number): void {
    if (this.length + size <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.bytes.length * 2, this.length + size));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Appends [start, end) of `from`. */
  copy(from: Uint8Array, start: number, end: number): void {
    const size = end - start;
    this.reserve(size);
    // A view and a native copy cost as much as copying about 100 bytes one by one.
    if (size > 96) this.bytes.set(from.subarray(start, end), this.length);
    else {
      const { bytes } = this;
      let to = this.length;
      for (let i = start; i < end; i++) bytes[to++] = from[i]!;
    }
    this.length += size;
  }

  /** Copies everything to `offset` of another buffer, which has room for it. */
  copyTo(to: Uint8Array, offset: number): void {
    const { bytes, length } = this;
    if (length > 512) to.set(bytes.subarray(0, length), offset);
    else for (let i = 0; i < length; i++) to[offset++] = bytes[i]!;
  }

  append(bytes: Uint8Array): void {
    this.copy(bytes, 0, bytes.length);
  }

  /** Appends a non-negative integer in decimal. */
  decimal(value: number): void {
    this.reserve(20);
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    let rest = value;
    for (let i = this.length + digits - 1; i >= this.length; i--) {
      const quotient = Math.floor(rest / 10);
      this.bytes[i] = 48 + (rest - quotient * 10);
      rest = quotient;
    }
    this.length += digits;
  }

  /** Appends a chunk's first line: size in hexadecimal, CRLF (RFC 9112 §7.1). */
  chunkSize(size: number): void {
    this.reserve(16);
    let digits = 1;
    for (let limit = 16; size >= limit; limit *= 16) digits++;
    let rest = size;
    for (let i = this.length + digits - 1; i >= this.length; i--) {
      const quotient = Math.floor(rest / 16);
      this.bytes[i] = hex.charCodeAt(rest - quotient * 16);
      rest = quotient;
    }
    this.length += digits;
    this.crlf();
  }

  crlf(): void {
    this.reserve(2);
    this.bytes[this.length++] = 13;
    this.bytes[this.length++] = 10;
  }
}

const hex = '0123456789abcdef';

/** What `writeFields` does with the fields that belong to one connection only. */
export interface HopByHop {
  /** Write `Connection: Upgrade` and keep Upgrade in its place. */
  upgrade: boolean;
  /** Drop Transfer-Encoding and trailers' announcement: the body is sent without chunks. */
  dropEncoding: boolean;
  /** Drop Content-Length. */
  dropLength: boolean;
  /** Drop Expect (already answered, or from an HTTP/1.0 client that can't mean it). */
  dropExpect: boolean;
}

/** Writes the fields of a received head, each on its line; the caller adds its own and the empty line. */
export function writeFields(out: Output, head: Head, hop: HopByHop): void {
  const { buffer, offsets, ids } = head;
  let connectionWritten = false;
  let lengthWritten = false;
  // Everything copied comes from the head; only Connection's and Transfer-Encoding's texts may be longer than what was received.
  out.reserve(head.end - head.lineStart + 4 * head.count + 128);
  for (let i = 0; i < head.count; i++) {
    const at = i * 4;
    switch (ids[i]) {
      case field.other:
      case field.websocketKey:
        if (head.nominatedCount > 0 && isNominated(head, offsets[at]!, offsets[at + 1]!)) continue;
        break;
      case field.connection:
        if (hop.upgrade && !connectionWritten) out.append(connectionUpgrade);
        connectionWritten = true;
        continue;
      case field.upgrade:
        if (!hop.upgrade) continue;
        break;
      case field.transferEncoding:
        if (!hop.dropEncoding) out.append(transferEncodingChunked);
        continue;
      case field.contentLength:
        if (hop.dropLength || lengthWritten || head.contentLength < 0) continue;
        lengthWritten = true;
        out.append(contentLength);
        out.decimal(head.contentLength);
        out.crlf();
        continue;
      case field.te:
        if (!isTrailers(head, at)) continue;
        break;
      case field.expect:
        if (hop.dropExpect) continue;
        break;
      case field.keepAlive:
      case field.proxyConnection:
      case field.http2Settings:
        continue;
    }
    writeField(out, buffer, offsets, at, head.folded);
  }
}

/** Writes trailer fields but those that mean something in a head (RFC 9110 §6.5.1). */
export function writeTrailers(out: Output, trailers: Head): void {
  out.reserve(trailers.end - trailers.lineStart + 4 * trailers.count);
  for (let i = 0; i < trailers.count; i++)
    if (trailers.ids[i] === field.other && !forbiddenInTrailers.some((name) => trailers.nameIs(i, name)))
      writeField(out, trailers.buffer, trailers.offsets, i * 4, false);
}

function writeField(out: Output, buffer: Uint8Array, offsets: Int32Array, at: number, folded: boolean): void {
  const { bytes } = out;
  let to = out.length;
  for (let i = offsets[at]!, end = offsets[at + 1]!; i < end; i++) bytes[to++] = lowerToken[buffer[i]!]!;
  bytes[to++] = 58;
  bytes[to++] = 32;
  const start = offsets[at + 2]!;
  const end = offsets[at + 3]!;
  if (folded) {
    for (let i = start; i < end; i++) {
      const byte = buffer[i]!;
      bytes[to++] = byte === 13 || byte === 10 ? 32 : byte;
    }
  } else for (let i = start; i < end; i++) bytes[to++] = buffer[i]!;
  bytes[to++] = 13;
  bytes[to++] = 10;
  out.length = to;
}

/** A nominated field is dropped unless dropping it would change what the message means or who sent it (RFC 9110 §7.6.1). */
function isNominated(head: Head, start: number, end: number): boolean {
  for (let i = 0; i < head.nominatedCount; i++) {
    if (!rangesEqualLower(head.buffer, start, end, head.nominated[i * 2]!, head.nominated[i * 2 + 1]!)) continue;
    for (const name of neverNominated) if (startsLower(head.buffer, start, end, name)) return false;
    return true;
  }
  return false;
}

function isTrailers(head: Head, at: number): boolean {
  return (
    head.offsets[at + 3]! - head.offsets[at + 2]! === trailers.length &&
    startsLower(head.buffer, head.offsets[at + 2]!, head.offsets[at + 3]!, trailers)
  );
}

function startsLower(buffer: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (lower[buffer[start + i]!] !== prefix[i]) return false;
  return true;
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (char) => char.charCodeAt(0));
}

const connectionUpgrade = latin1('connection: Upgrade\r\n');
const transferEncodingChunked = latin1('transfer-encoding: chunked\r\n');
const contentLength = latin1('content-length: ');
const trailers = latin1('trailers');
/** Beginnings of names. */
const neverNominated = ['authorization', 'cookie', 'set-cookie', 'x-forwarded-', 'forwarded', 'via', 'date'].map(
  latin1,
);
const forbiddenInTrailers = [
  'authorization',
  'cache-control',
  'content-encoding',
  'content-range',
  'content-type',
  'cookie',
  'date',
  'forwarded',
  'max-forwards',
  'proxy-authenticate',
  'proxy-authorization',
  'set-cookie',
  'trailer',
  'vary',
  'www-authenticate',
  'x-forwarded-for',
].map(latin1);
