/** Reads a response head (RFC 9112 §4). All or nothing, like `readRequest`. */
import { valueByte } from './bytes.ts';
import { readFraming } from './framing.ts';
import type { Head } from './head.ts';
import { readFields } from './read-fields.ts';
import { readVersion } from './read-request.ts';

/**
 * Returns the offset behind the head, 0 when bytes are missing, -1 with `head.error` when it is refused.
 * @param headBytesMax longest head in bytes, start line and empty line included.
 */
export function readResponse(head: Head, buffer: Uint8Array, start: number, end: number, headBytesMax: number): number {
  head.reset(buffer);
  const limit = Math.min(end, start + headBytesMax);
  const line = readStatusLine(head, buffer, start, limit);
  const result = line > 0 ? readFields(head, buffer, line, limit, true) : line;
  if (result === 0 && end > limit) return head.fail('too-long', limit);
  if (result <= 0) return result;
  if (readFraming(head) < 0) return -1;
  // RFC 9112 §6.1: transfer codings do not exist in HTTP/1.0, such a message cannot be framed.
  if (head.chunked && head.minor === 0) return head.fail('transfer-encoding', head.lineStart);
  // RFC 9112 §6.3 case 3: Transfer-Encoding overrides Content-Length, which is removed; the caller closes the connection afterwards.
  if (head.chunked && head.contentLength >= 0) {
    head.contentLength = -1;
    head.connectionClose = true;
  }
  return result;
}

/** True when no body follows, whatever the fields say (RFC 9112 §6.3 cases 1 and 2). */
export function isBodyless(status: number, requestWasHead: boolean): boolean {
  return requestWasHead || status < 200 || status === 204 || status === 304;
}

function readStatusLine(head: Head, buffer: Uint8Array, start: number, end: number): number {
  head.lineStart = start;
  const minor = readVersion(head, buffer, start, end);
  if (minor < 0) return -1;
  head.minor = minor;
  let at = start + 8;
  if (at < end && buffer[at] !== 32) return head.fail('version', at);
  at++;
  let status = 0;
  for (let i = 0; i < 3 && at + i < end; i++) {
    const digit = buffer[at + i]! - 48;
    if (digit < 0 || digit > 9 || (i === 0 && digit === 0)) return head.fail('status', at + i);
    status = status * 10 + digit;
  }
  at += 3;
  if (at >= end) return 0;
  head.status = status;
  // RFC 9112 §4 wants a space even before an empty reason; many servers leave it out.
  if (buffer[at] === 32) at++;
  else if (buffer[at] !== 13 && buffer[at] !== 10) return head.fail('status', at);
  head.reasonStart = at;
  while (at < end && valueByte[buffer[at]!] === 1) at++;
  if (at >= end) return 0;
  head.reasonEnd = at;
  head.lineEnd = at;
  if (buffer[at] === 13) {
    if (at + 1 >= end) return 0;
    at++;
  }
  return buffer[at] === 10 ? at + 1 : head.fail('status', at);
}
