/**
 * What the fields say about the message's own framing and its connection (RFC 9112 §6, §7, §9; RFC 9110 §7.6.1). Ambiguity is an
 * error: two readers that understand one message differently are how requests are smuggled.
 */
import { ascii, decimal, equalsLower } from './bytes.ts';
import { field, type Head, nominatedMax } from './head.ts';

const chunked = ascii('chunked');
const close = ascii('close');
const keepAlive = ascii('keep-alive');
const upgrade = ascii('upgrade');
const websocket = ascii('websocket');
const h2c = ascii('h2c');
const continue100 = ascii('100-continue');

/** Reads the fields that matter. Returns 0, or -1 with `head.error`. */
export function readFraming(head: Head): number {
  const { buffer, offsets, ids } = head;
  for (let i = 0; i < head.count; i++) {
    const id = ids[i]!;
    if (id === field.other) continue;
    const start = offsets[i * 4 + 2]!;
    const end = offsets[i * 4 + 3]!;
    switch (id) {
      case field.host:
        if (head.hostStart >= 0) return head.fail('host-twice', offsets[i * 4]!);
        head.hostStart = start;
        head.hostEnd = end;
        break;
      case field.contentLength:
        if (readLength(head, start, end) < 0) return -1;
        break;
      case field.transferEncoding:
        // Exactly one coding, exactly once: everything else has been read two ways by somebody (RFC 9112 §6.1).
        if (!equalsLower(buffer, start, end, chunked))
          return head.fail(codingList(head, start, end) ? 'transfer-coding' : 'transfer-encoding', start);
        if (head.chunked) return head.fail('transfer-encoding', start);
        head.chunked = true;
        break;
      case field.connection:
        head.hasConnection = true;
        if (readConnection(head, start, end) < 0) return -1;
        break;
      case field.upgrade:
        if (end > start) head.hasUpgrade = true;
        // HTTP/2 without TLS would hide requests from everything here; one mention, also on a second line, refuses all of it.
        if (mentionsH2c(buffer, start, end)) head.upgradeRefused = true;
        if (equalsLower(buffer, start, end, websocket)) head.upgradeWebsocket = true;
        break;
      case field.websocketKey:
        if (end > start) head.hasWebsocketKey = true;
        break;
      case field.expect:
        if (equalsLower(buffer, start, end, continue100)) head.expectContinue = true;
        break;
    }
  }
  return 0;
}

/** Digits only; several equal values collapse to one (RFC 9112 §6.3 case 5). */
function readLength(head: Head, start: number, end: number): number {
  let at = start;
  for (;;) {
    let itemEnd = at;
    while (itemEnd < end && head.buffer[itemEnd] !== 44) itemEnd++;
    let last = itemEnd;
    while (at < last && (head.buffer[at] === 32 || head.buffer[at] === 9)) at++;
    while (last > at && (head.buffer[last - 1] === 32 || head.buffer[last - 1] === 9)) last--;
    const value = decimal(head.buffer, at, last);
    if (value < 0 || (head.contentLength >= 0 && head.contentLength !== value)) return head.fail('content-length', at);
    head.contentLength = value;
    if (itemEnd >= end) return 0;
    at = itemEnd + 1;
  }
}

/** `gzip, chunked` and the like: well-formed, chunked last and once, but with a coding that is not ours to undo. */
function codingList(head: Head, start: number, end: number): boolean {
  const tail = end - chunked.length;
  if (tail <= start + 1 || !equalsLower(head.buffer, tail, end, chunked)) return false;
  let comma = tail - 1;
  while (comma > start && (head.buffer[comma] === 32 || head.buffer[comma] === 9)) comma--;
  if (head.buffer[comma] !== 44 || comma === start) return false;
  for (let at = start; at + chunked.length <= comma; at++)
    if (equalsLower(head.buffer, at, at + chunked.length, chunked)) return false;
  return true;
}

function readConnection(head: Head, start: number, end: number): number {
  const { buffer } = head;
  let at = start;
  while (at < end) {
    let itemEnd = at;
    while (itemEnd < end && buffer[itemEnd] !== 44) itemEnd++;
    let last = itemEnd;
    while (at < last && (buffer[at] === 32 || buffer[at] === 9)) at++;
    while (last > at && (buffer[last - 1] === 32 || buffer[last - 1] === 9)) last--;
    if (last > at) {
      if (equalsLower(buffer, at, last, keepAlive)) head.connectionKeepAlive = true;
      else if (equalsLower(buffer, at, last, close)) head.connectionClose = true;
      else if (equalsLower(buffer, at, last, upgrade)) head.connectionUpgrade = true;
      else {
        if (head.nominatedCount >= nominatedMax) return head.fail('connection', at);
        head.nominated[head.nominatedCount * 2] = at;
        head.nominated[head.nominatedCount * 2 + 1] = last;
        head.nominatedCount++;
      }
    }
    at = itemEnd + 1;
  }
  return 0;
}

function mentionsH2c(buffer: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at + 3 <= end; at++) if (equalsLower(buffer, at, at + 3, h2c)) return true;
  return false;
}
