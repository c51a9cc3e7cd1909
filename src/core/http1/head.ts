/**
 * The head of a message, indexed in place: offsets into the buffer it was read from, no strings, no objects a field.
 * One Head is reused for every message; what it says is valid as long as the bytes it points to.
 */

import { lowerToken } from './bytes.ts';

/** Fields that the proxy itself must understand. The number is the field's id; 0 = any other. */
export const field = {
  other: 0,
  host: 1,
  connection: 2,
  contentLength: 3,
  transferEncoding: 4,
  expect: 5,
  upgrade: 6,
  te: 7,
  keepAlive: 8,
  proxyConnection: 9,
  http2Settings: 10,
  websocketKey: 11,
} as const;

/** Why a head or body is refused: the name says the rule. Their order is that of counters on the board: new ones come last. */
export const messageErrors = [
  'method',
  'target',
  'version',
  'status',
  'line-end',
  'field-name',
  'field-value',
  'fold',
  'fields',
  'too-long',
  'target-too-long',
  'host-missing',
  'host-twice',
  'host',
  'content-length',
  'transfer-encoding',
  'transfer-coding',
  'length-and-encoding',
  'connection',
  'websocket-key',
  'chunk-size',
  'chunk-extension',
  'chunk-end',
  'trailer',
] as const;

export type MessageError = (typeof messageErrors)[number];

export class Head {
  buffer: Uint8Array = new Uint8Array(0);
  /** Start line [lineStart, lineEnd), without the line end. */
  lineStart = 0;
  lineEnd = 0;
  methodEnd = 0; // the method starts at lineStart
  targetStart = 0;
  targetEnd = 0;
  /** Minor version: 0 for HTTP/1.0, 1 for everything above. */
  minor = 1;
  status = 0;
  reasonStart = 0;
  reasonEnd = 0;
  /** Four offsets a field: name start and end, value start and end. */
  readonly offsets: Int32Array;
  readonly ids: Uint8Array;
  count = 0;
  /** Offset right behind the empty line. */
  end = 0;
  /** A response value contains line folds (RFC 9112 §5.2): the writer makes them spaces. */
  folded = false;

  /** Content-Length, -1 when there is none. */
  contentLength = -1;
  chunked = false;
  connectionClose = false;
  connectionKeepAlive = false;
  connectionUpgrade = false;
  hasConnection = false;
  hasUpgrade = false;
  upgradeRefused = false;
  upgradeWebsocket = false;
  hasWebsocketKey = false;
  expectContinue = false;
  /** Value range of Host, and what of an absolute-form target names the host; -1 when there is none. */
  hostStart = -1;
  hostEnd = -1;
  authorityStart = -1;
  authorityEnd = -1;
  /** Field names that Connection lists, as ranges (RFC 9110 §7.6.1). */
  readonly nominated = new Int32Array(nominatedMax * 2);
  nominatedCount = 0;

  error: MessageError | undefined;
  errorAt = 0;
  readonly fieldsMax: number;

  /** @param fieldsMax most fields accepted; one more is the error `fields`. */
  constructor(fieldsMax: number) {
    this.fieldsMax = fieldsMax;
    this.offsets = new Int32Array(fieldsMax * 4);
    this.ids = new Uint8Array(fieldsMax);
  }

  reset(buffer: Uint8Array): void {
    this.buffer = buffer;
    this.count = 0;
    this.status = 0;
    this.folded = false;
    this.contentLength = -1;
    this.chunked = false;
    this.connectionClose = false;
    this.connectionKeepAlive = false;
    this.connectionUpgrade = false;
    this.hasConnection = false;
    this.hasUpgrade = false;
    this.upgradeRefused = false;
    this.upgradeWebsocket = false;
    this.hasWebsocketKey = false;
    this.expectContinue = false;
    this.hostStart = this.hostEnd = -1;
    this.authorityStart = this.authorityEnd = -1;
    this.nominatedCount = 0;
    this.error = undefined;
  }

  /** Notes the error and returns -1, so that a reader can `return head.fail(…)`. */
  fail(error: MessageError, at: number): -1 {
    this.error = error;
    this.errorAt = at;
    return -1;
  }

  /** Size of the head as HAProxy counts it in %B and %U (its internal HTX form: 20 bytes, texts, one byte at the end). */
  logBytes(): number {
    return 21 + (this.lineEnd - this.lineStart) - 2 + this.fieldLogBytes();
  }

  /**
   * The fields' part of `logBytes`; what HAProxy drops while reading (an overridden or repeated Content-Length, a Connection field
   * that only says whether to close) is not counted.
   */
  fieldLogBytes(): number {
    let bytes = this.chunked || this.contentLength < 0 ? 0 : 'content-length'.length + digits(this.contentLength);
    for (let i = 0; i < this.count; i++) {
      const id = this.ids[i];
      if (id === field.contentLength) continue;
      if (id === field.connection && !this.connectionUpgrade && this.nominatedCount === 0) continue;
      const at = i * 4;
      bytes += this.offsets[at + 1]! - this.offsets[at]! + this.offsets[at + 3]! - this.offsets[at + 2]!;
    }
    return bytes;
  }

  /** Index of the first field named `name` (lower case), or -1. */
  find(name: Uint8Array): number {
    for (let i = 0; i < this.count; i++) if (this.nameIs(i, name)) return i;
    return -1;
  }

  nameIs(index: number, name: Uint8Array): boolean {
    const start = this.offsets[index * 4]!;
    if (this.offsets[index * 4 + 1]! - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if (lowerToken[this.buffer[start + i]!] !== name[i]) return false;
    return true;
  }
}

function digits(value: number): number {
  let count = 1;
  for (let limit = 10; value >= limit; limit *= 10) count++;
  return count;
}

/** Options that one Connection field may list; nobody has a use for more. */
export const nominatedMax = 32;
