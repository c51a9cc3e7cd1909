/**
 * Reads a request head (RFC 9112 §3). All or nothing: the caller keeps the bytes until the head is whole, so nothing here remembers
 * a half-read line. The number of fields is bounded, so reading again after each new line stays cheap.
 */
import { ascii, equalsLower, hostByte, lower, lowerToken, rangesEqualLower, targetByte } from './bytes.ts';
import { readFraming } from './framing.ts';
import type { Head } from './head.ts';
import { readFields } from './read-fields.ts';

const connect = ascii('connect');
const options = ascii('options');
const http = ascii('http://');
const https = ascii('https://');

/** @param headBytesMax longest head in bytes, start line and empty line included. */
export function readRequest(head: Head, buffer: Uint8Array, start: number, end: number, headBytesMax: number): number {
  head.reset(buffer);
  let at = start;
  // RFC 9112 §2.2: empty lines before the request line are ignored.
  while (at < end && (buffer[at] === 13 || buffer[at] === 10)) {
    if (buffer[at] === 13) {
      if (at + 1 >= end) return 0;
      if (buffer[at + 1] !== 10) return head.fail('line-end', at);
      at++;
    }
    at++;
  }
  const limit = Math.min(end, at + headBytesMax);
  const line = readRequestLine(head, buffer, at, limit);
  const result = line > 0 ? readFields(head, buffer, line, limit, false) : line;
  if (result === 0 && end > limit)
    return head.fail(line === 0 && head.targetEnd < 0 ? 'target-too-long' : 'too-long', limit);
  if (result <= 0) return result;
  if (readFraming(head) < 0 || checkRequest(head) < 0) return -1;
  return result;
}

/** True for CONNECT, whose target and body follow other rules. */
export function isConnect(head: Head): boolean {
  return equalsLower(head.buffer, head.lineStart, head.methodEnd, connect);
}

function readRequestLine(head: Head, buffer: Uint8Array, start: number, end: number): number {
  head.lineStart = start;
  head.targetEnd = -1;
  let at = start;
  while (at < end && lowerToken[buffer[at]!] !== 0) at++;
  if (at >= end) return 0;
  if (at === start || buffer[at] !== 32) return head.fail('method', at);
  head.methodEnd = at++;
  head.targetStart = at;
  while (at < end && targetByte[buffer[at]!] === 1) at++;
  if (at >= end) return 0;
  if (at === head.targetStart || buffer[at] !== 32) return head.fail('target', at);
  head.targetEnd = at++;
  const minor = readVersion(head, buffer, at, end);
  if (minor < 0) return -1;
  if (at + 8 >= end) return 0;
  head.minor = minor;
  at += 8;
  head.lineEnd = at;
  if (buffer[at] === 13) {
    if (at + 1 >= end) return 0;
    at++;
  }
  return buffer[at] === 10 ? at + 1 : head.fail('version', at);
}

/**
 * `HTTP/1.` and one digit (RFC 9112 §2.3), as far as there are bytes. Returns 0 for HTTP/1.0, 1 for any later minor version, which is
 * handled as the highest we know (RFC 9110 §2.5), or -1.
 */
export function readVersion(head: Head, buffer: Uint8Array, start: number, end: number): number {
  for (let i = 0; i < version.length && start + i < end; i++)
    if (buffer[start + i] !== version[i]) return head.fail('version', start + i);
  if (start + 7 >= end) return 0;
  const digit = buffer[start + 7]!;
  if (digit < 48 || digit > 57) return head.fail('version', start + 7);
  return digit === 48 ? 0 : 1;
}

const version = ascii('HTTP/1.');

/** What can only be judged with all fields known (RFC 9112 §3.2, §6.1, §6.3). */
function checkRequest(head: Head): number {
  const { buffer } = head;
  if (head.chunked && head.contentLength >= 0) return head.fail('length-and-encoding', head.lineStart);
  if (head.chunked && head.minor === 0) return head.fail('transfer-encoding', head.lineStart);
  if (head.hostStart < 0 && head.minor > 0) return head.fail('host-missing', head.lineStart);
  for (let i = head.hostStart; i < head.hostEnd; i++) if (hostByte[buffer[i]!] === 0) return head.fail('host', i);

  // RFC 6455 §4.2.1: the key is a part of the handshake; without it somebody only wants a connection that nobody looks into.
  if (head.connectionUpgrade && head.upgradeWebsocket && !head.hasWebsocketKey)
    return head.fail('websocket-key', head.lineStart);
  const first = buffer[head.targetStart]!;
  if (first === 47 || isConnect(head)) return 0;
  const length = head.targetEnd - head.targetStart;
  if (first === 42 && length === 1 && equalsLower(buffer, head.lineStart, head.methodEnd, options)) return 0;
  return checkAbsolute(head);
}

/** Absolute-form: the authority is the host, and a Host field that says otherwise is an attack or a mistake (RFC 9112 §3.2.2). */
function checkAbsolute(head: Head): number {
  const { buffer, targetStart, targetEnd } = head;
  const scheme = starts(buffer, targetStart, targetEnd, http)
    ? 7
    : starts(buffer, targetStart, targetEnd, https)
      ? 8
      : 0;
  if (scheme === 0) return head.fail('target', targetStart);
  const start = targetStart + scheme;
  let end = start;
  while (end < targetEnd && buffer[end] !== 47 && buffer[end] !== 63) {
    if (hostByte[buffer[end]!] === 0) return head.fail('target', end);
    end++;
  }
  if (end === start) return head.fail('target', start);
  head.authorityStart = start;
  head.authorityEnd = end;
  if (head.hostStart < 0) return 0;
  const authority = withoutDefaultPort(buffer, start, end, scheme);
  const host = withoutDefaultPort(buffer, head.hostStart, head.hostEnd, scheme);
  return rangesEqualLower(buffer, start, authority, head.hostStart, host) ? 0 : head.fail('host', head.hostStart);
}

function withoutDefaultPort(buffer: Uint8Array, start: number, end: number, scheme: number): number {
  const port = scheme === 7 ? ':80' : ':443';
  if (end - start <= port.length) return end;
  for (let i = 0; i < port.length; i++) if (buffer[end - port.length + i] !== port.charCodeAt(i)) return end;
  return end - port.length;
}

function starts(buffer: Uint8Array, start: number, end: number, prefix: Uint8Array): boolean {
  if (end - start < prefix.length) return false;
  for (let i = 0; i < prefix.length; i++) if (lower[buffer[start + i]!] !== prefix[i]) return false;
  return true;
}
