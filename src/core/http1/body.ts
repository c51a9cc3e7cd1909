/**
 * Reads a message body (RFC 9112 §6, §7): finds the pieces of data in what arrives and says when the message is over. It keeps no
 * data: pieces are ranges of the caller's buffer. Chunk extensions are checked, bounded and dropped; trailers are kept for the
 * caller, who decides what of them is passed on.
 */
import { chunkExtensionBytesMax, trailerBytesMax } from '../limits.ts';
import { hexDigit, valueByte } from './bytes.ts';
import type { MessageError } from './head.ts';

export type BodyKind = 'none' | 'length' | 'chunked' | 'until-close';

type ChunkState =
  | 'first-digit'
  | 'size'
  | 'extension'
  | 'quoted'
  | 'quoted-pair'
  | 'size-lf'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'trailer-start'
  | 'trailer-line'
  | 'trailer-lf'
  | 'last-lf';

/** 12 hexadecimal digits: every sum of sizes stays an exact integer of a double. */
const sizeDigitsMax = 12;

export class BodyReader {
  kind: BodyKind = 'none';
  done = true;
  error: MessageError | undefined;
  /** The piece of data that the last `read` found; empty when start = end. */
  dataStart = 0;
  dataEnd = 0;
  /** Bytes still to come of a body with a length, or of the current chunk. */
  remaining = 0;
  /** Trailer field lines as received, without the empty line; length 0 when there were none. */
  trailer: Uint8Array = nothing;
  trailerLength = 0;
  #state: ChunkState = 'first-digit';
  #digits = 0;
  #extension = 0;

  /** @param length bytes, only for kind `length`. */
  begin(kind: BodyKind, length: number): void {
    this.kind = kind;
    this.remaining = kind === 'length' ? length : 0;
    this.done = kind === 'none' || (kind === 'length' && length === 0);
    this.error = undefined;
    this.trailerLength = 0;
    this.#state = 'first-digit';
    this.#digits = 0;
    this.#extension = 0;
  }

  /**
   * Goes on to the next piece of data in [start, end), at most one a call. Returns the offset behind what was consumed;
   * at the end of the message `done` is set and nothing behind it is touched. On `error` the offset is that of the offending byte.
   */
  read(buffer: Uint8Array, start: number, end: number): number {
    this.dataStart = this.dataEnd = start;
    if (this.done || this.error !== undefined) return start;
    if (this.kind === 'chunked') return this.#readChunked(buffer, start, end);
    if (this.kind === 'until-close') return (this.dataEnd = end);
    const size = Math.min(this.remaining, end - start);
    this.remaining -= size;
    this.done = this.remaining === 0;
    return (this.dataEnd = start + size);
  }

  /** Bytes that are sure to come and need no reading. */
  get unread(): number {
    return this.kind === 'length' ? this.remaining : 0;
  }

  /** So many of those went by. */
  skip(bytes: number): void {
    this.remaining -= bytes;
    this.done = this.remaining === 0;
  }

  #fail(error: MessageError, at: number): number {
    this.error = error;
    return at;
  }

  #readChunked(buffer: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const byte = buffer[at]!;
      switch (this.#state) {
        case 'first-digit':
        case 'size': {
          const digit = hexDigit[byte]!;
          if (digit < 16) {
            if (++this.#digits > sizeDigitsMax) return this.#fail('chunk-size', at);
            this.remaining = this.remaining * 16 + digit;
            this.#state = 'size';
          } else if (this.#state === 'first-digit') return this.#fail('chunk-size', at);
          else if (byte === 13) this.#state = 'size-lf';
          else if (byte === 59) this.#state = 'extension';
          else return this.#fail('chunk-size', at);
          at++;
          break;
        }
        case 'extension':
        case 'quoted':
        case 'quoted-pair':
          if (!this.#readExtension(byte)) return this.#fail('chunk-extension', at);
          at++;
          break;
        case 'size-lf':
          if (byte !== 10) return this.#fail('chunk-size', at);
          this.#state = this.remaining === 0 ? 'trailer-start' : 'data';
          at++;
          break;
        case 'data': {
          const size = Math.min(this.remaining, end - at);
          this.remaining -= size;
          if (this.remaining === 0) this.#state = 'data-cr';
          this.dataStart = at;
          return (this.dataEnd = at + size);
        }
        case 'data-cr':
          if (byte !== 13) return this.#fail('chunk-end', at);
          this.#state = 'data-lf';
          at++;
          break;
        case 'data-lf':
          if (byte !== 10) return this.#fail('chunk-end', at);
          this.#state = 'first-digit';
          this.#digits = 0;
          this.#extension = 0;
          at++;
          break;
        default:
          if (!this.#readTrailer(byte)) return this.#fail('trailer', at);
          at++;
          if (this.done) return at;
      }
    }
    return at;
  }

  #readExtension(byte: number): boolean {
    if (++this.#extension > chunkExtensionBytesMax) return false;
    switch (this.#state) {
      case 'quoted-pair':
        this.#state = 'quoted';
        return valueByte[byte] === 1;
      case 'quoted':
        if (byte === 34) this.#state = 'extension';
        else if (byte === 92) this.#state = 'quoted-pair';
        return valueByte[byte] === 1;
      default:
        if (byte === 13) this.#state = 'size-lf';
        else if (byte === 34) this.#state = 'quoted';
        else return valueByte[byte] === 1;
        return true;
    }
  }

  #readTrailer(byte: number): boolean {
    switch (this.#state) {
      case 'trailer-start':
        if (byte === 13) {
          this.#state = 'last-lf';
          return true;
        }
        this.#state = 'trailer-line';
        return this.#keepTrailer(byte);
      case 'trailer-line':
        if (byte === 13) this.#state = 'trailer-lf';
        return this.#keepTrailer(byte);
      case 'trailer-lf':
        this.#state = 'trailer-start';
        return byte === 10 && this.#keepTrailer(byte);
      default:
        this.done = true;
        return byte === 10;
    }
  }

  #keepTrailer(byte: number): boolean {
    // A line's first byte must be a name's; a bare LF, NUL or other control ends the message as an error.
    if (valueByte[byte] === 0 && byte !== 13 && !(byte === 10 && this.#state === 'trailer-start')) return false;
    if (this.trailerLength >= trailerBytesMax) return false;
    if (this.trailerLength === this.trailer.length) {
      const grown = new Uint8Array(Math.max(256, this.trailer.length * 2));
      grown.set(this.trailer);
      this.trailer = grown;
    }
    this.trailer[this.trailerLength++] = byte;
    return true;
  }
}

const nothing = new Uint8Array(0);
