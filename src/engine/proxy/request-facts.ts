/** What the request line says that decides how an exchange goes. Methods are case-sensitive (RFC 9110 §9.1). */
import { ascii, equalsLower } from '../../core/http1/bytes.ts';
import type { Head } from '../../core/http1/head.ts';

export function isHeadMethod(head: Head): boolean {
  return methodIs(head, headMethod);
}

/** May be sent again when it is unknown whether it arrived (RFC 9110 §9.2.2). */
export function isIdempotent(head: Head): boolean {
  return isSafe(head) || methodIs(head, put) || methodIs(head, del);
}

/** Asks for nothing to be changed (RFC 9110 §9.2.1). */
export function isSafe(head: Head): boolean {
  return methodIs(head, get) || methodIs(head, headMethod) || methodIs(head, options);
}

/** In any case of letters: what is refused is refused in every spelling that somebody might accept. */
export function isTrace(head: Head): boolean {
  return equalsLower(head.buffer, head.lineStart, head.methodEnd, trace);
}

export function targetIs(head: Head, target: Uint8Array): boolean {
  return rangeIs(head.buffer, head.targetStart, head.targetEnd, target);
}

function methodIs(head: Head, method: Uint8Array): boolean {
  return rangeIs(head.buffer, head.lineStart, head.methodEnd, method);
}

function rangeIs(buffer: Uint8Array, start: number, end: number, text: Uint8Array): boolean {
  if (end - start !== text.length) return false;
  for (let i = 0; i < text.length; i++) if (buffer[start + i] !== text[i]) return false;
  return true;
}

const headMethod = ascii('HEAD');
const get = ascii('GET');
const put = ascii('PUT');
const del = ascii('DELETE');
const options = ascii('OPTIONS');
const trace = ascii('trace');
