/**
 * Field lines of a head or trailer (RFC 9112 §5). Called with the bytes behind the start line; returns the offset behind the empty
 * line, 0 when bytes are missing, -1 with `head.error` when the message is refused.
 */
import { lowerToken } from './bytes.ts';
import { field, type Head } from './head.ts';

const CR = 13;
const LF = 10;
const SP = 32;
const HTAB = 9;
const colon = 58;

/** @param lenient responses: line folds become spaces and space before the colon is cut off, as RFC 9112 §5.1 and §5.2 allow. */
export function readFields(head: Head, buffer: Uint8Array, start: number, end: number, lenient: boolean): number {
  let at = start;
  for (;;) {
    if (at >= end) return 0;
    const first = buffer[at]!;
    if (first === LF) return (head.end = at + 1);
    if (first === CR) {
      if (at + 1 >= end) return 0;
      if (buffer[at + 1] !== LF) return head.fail('line-end', at);
      return (head.end = at + 2);
    }
    if (first === SP || first === HTAB) return head.fail('fold', at);

    const nameStart = at;
    while (at < end && lowerToken[buffer[at]!] !== 0) at++;
    if (at >= end) return 0;
    const nameEnd = at;
    if (lenient) while (at < end && (buffer[at] === SP || buffer[at] === HTAB)) at++;
    if (at >= end) return 0;
    if (buffer[at] !== colon || nameEnd === nameStart) return head.fail('field-name', at);
    at++;
    while (at < end && (buffer[at] === SP || buffer[at] === HTAB)) at++;
    let valueStart = at;

    let next: number;
    for (;;) {
      // As `valueByte`, without a look-up: most bytes of a head pass here.
      for (let byte = 0; at < end; at++) {
        byte = buffer[at]!;
        if (byte > 31 ? byte === 127 : byte !== HTAB) break;
      }
      if (at >= end) return 0;
      if (buffer[at] === CR) {
        if (at + 1 >= end) return 0;
        if (buffer[at + 1] !== LF) return head.fail('field-value', at);
        next = at + 2;
      } else if (buffer[at] === LF) next = at + 1;
      else return head.fail('field-value', at);
      if (next >= end) return 0;
      if (buffer[next] !== SP && buffer[next] !== HTAB) break;
      if (!lenient) return head.fail('fold', next);
      head.folded = true;
      at = next;
    }
    let valueEnd = at;
    while (valueEnd > valueStart && isSpace(buffer[valueEnd - 1]!)) valueEnd--;
    while (valueStart < valueEnd && isSpace(buffer[valueStart]!)) valueStart++;

    const index = head.count;
    if (index >= head.fieldsMax) return head.fail('fields', nameStart);
    const slot = index * 4;
    head.offsets[slot] = nameStart;
    head.offsets[slot + 1] = nameEnd;
    head.offsets[slot + 2] = valueStart;
    head.offsets[slot + 3] = valueEnd;
    head.ids[index] = fieldId(buffer, nameStart, nameEnd);
    head.count = index + 1;
    at = next;
  }
}

function isSpace(byte: number): boolean {
  return byte === SP || byte === HTAB || byte === CR || byte === LF;
}

/** Length first, text second: most names are told apart by their length alone. */
function fieldId(buffer: Uint8Array, start: number, end: number): number {
  switch (end - start) {
    case 2:
      return is(buffer, start, 'te') ? field.te : 0;
    case 4:
      return is(buffer, start, 'host') ? field.host : 0;
    case 6:
      return is(buffer, start, 'expect') ? field.expect : 0;
    case 7:
      return is(buffer, start, 'upgrade') ? field.upgrade : 0;
    case 10:
      if (is(buffer, start, 'connection')) return field.connection;
      return is(buffer, start, 'keep-alive') ? field.keepAlive : 0;
    case 14:
      if (is(buffer, start, 'content-length')) return field.contentLength;
      return is(buffer, start, 'http2-settings') ? field.http2Settings : 0;
    case 16:
      return is(buffer, start, 'proxy-connection') ? field.proxyConnection : 0;
    case 17:
      if (is(buffer, start, 'sec-websocket-key')) return field.websocketKey;
      return is(buffer, start, 'transfer-encoding') ? field.transferEncoding : 0;
    default:
      return 0;
  }
}

function is(buffer: Uint8Array, start: number, name: string): boolean {
  for (let i = 0; i < name.length; i++) if (lowerToken[buffer[start + i]!] !== name.charCodeAt(i)) return false;
  return true;
}
