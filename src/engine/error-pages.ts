/**
 * Answers of our own, as HAProxy 2.6 gives them, to the byte, and those of `errorfile`. A message that could not be read at all (400, 408) is answered with the
 * page as it stands, and the connection closes; every other page is written like a response of a server: names in lower case, and
 * the connection goes on when the request was read to its end.
 */
import { ascii } from '../core/http1/bytes.ts';
import { Head } from '../core/http1/head.ts';
import { isBodyless, readResponse } from '../core/http1/read-response.ts';
import { Output, writeFields } from '../core/http1/write.ts';
import { headerFieldsMax } from '../core/limits.ts';

export type ErrorStatus = 200 | 400 | 403 | 405 | 408 | 413 | 414 | 422 | 425 | 429 | 431 | 500 | 501 | 502 | 503 | 504;

export interface ErrorPage {
  readonly status: number;
  /** Complete, with `Connection: close`. */
  readonly raw: Uint8Array;
  /** Status line and fields, without a Connection field and the empty line. */
  readonly head: Uint8Array;
  readonly body: Uint8Array;
  /** Size of the head as HAProxy counts it in %B. */
  readonly headLogBytes: number;
  /** Minor version of its status line. */
  readonly minor: number;
  /** The head says how long the body is; otherwise the end of the connection does. */
  readonly delimited: boolean;
  /** It goes out as it stands, whatever the request was. */
  readonly verbatim: boolean;
}

/**
 * Writes a page.
 * @param keep the connection goes on afterwards; only for pages that are `delimited`.
 * @param minor of the request.
 * @returns the size for the log.
 */
export function writePage(out: Output, page: ErrorPage, keep: boolean, minor: number, headOnly: boolean): number {
  if (page.verbatim) {
    out.append(page.raw);
    return page.raw.length;
  }
  out.append(page.head);
  if (!keep) {
    if (page.minor > 0) out.append(connectionClose);
  } else if (minor === 0 || page.minor === 0) out.append(connectionKeepAlive);
  out.crlf();
  if (!headOnly) out.append(page.body);
  return page.headLogBytes + (headOnly ? 0 : page.body.length);
}

/** The built-in pages, replaced by those of `errorfile` in order: a backend's count before its frontend's. */
export function errorPagesWith(...files: readonly ReadonlyMap<number, Uint8Array>[]): ReadonlyMap<number, ErrorPage> {
  const pages = new Map<number, ErrorPage>(errorPages);
  for (const some of files) for (const [status, file] of some) pages.set(status, pageFromFile(status, file));
  return pages;
}

/** A file's response, written anew like any other; one that can't be read as such (or is empty, to say nothing) goes out as it is. */
function pageFromFile(status: number, file: Uint8Array): ErrorPage {
  const head = new Head(headerFieldsMax);
  const end = readResponse(head, file, 0, file.length, file.length);
  if (end <= 0)
    return {
      status,
      raw: file,
      head: file,
      body: nothing,
      headLogBytes: 0,
      minor: 1,
      delimited: false,
      verbatim: true,
    };
  const out = new Output(1_024);
  out.copy(file, head.lineStart, head.lineEnd);
  out.crlf();
  writeFields(out, head, { upgrade: false, dropEncoding: true, dropLength: false, dropExpect: false });
  let headLogBytes = 21 + head.lineEnd - head.lineStart - 2;
  // Unlike a server's, a Connection field of a file is counted.
  for (let at = 0; at < head.count * 4; at += 4)
    headLogBytes += head.offsets[at + 1]! - head.offsets[at]! + head.offsets[at + 3]! - head.offsets[at + 2]!;
  return {
    status,
    raw: file,
    head: out.bytes.slice(0, out.length),
    body: file.subarray(end),
    headLogBytes,
    minor: head.minor,
    delimited: head.contentLength >= 0 || isBodyless(head.status, false),
    verbatim: false,
  };
}

const nothing = new Uint8Array(0);
const connectionClose = ascii('connection: close\r\n');
const connectionKeepAlive = ascii('connection: keep-alive\r\n');

/** HAProxy has no page for 414 and 431 and says 400; the codes of RFC 9110 and RFC 6585 tell the client what to change. */
const texts: readonly (readonly [ErrorStatus, string, string])[] = [
  [200, 'OK', 'Service ready.'],
  [400, 'Bad request', 'Your browser sent an invalid request.'],
  [403, 'Forbidden', 'Request forbidden by administrative rules.'],
  [405, 'Method Not Allowed', 'A request was made of a resource using a request method not supported by that resource'],
  [408, 'Request Time-out', "Your browser didn't send a complete request in time."],
  [413, 'Payload Too Large', 'The request entity exceeds the maximum allowed.'],
  [414, 'URI Too Long', 'The request target exceeds the maximum allowed.'],
  [422, 'Unprocessable Content', 'The server cannot process the contained instructions.'],
  [425, 'Too Early', 'Your browser sent early data.'],
  [429, 'Too Many Requests', 'You have sent too many requests in a given amount of time.'],
  [431, 'Request Header Fields Too Large', 'The request header fields exceed the maximum allowed.'],
  [500, 'Internal Server Error', 'An internal server error occurred.'],
  [501, 'Not Implemented', '.The server does not support the functionality required to fulfill the request.'],
  [502, 'Bad Gateway', 'The server returned an invalid or incomplete response.'],
  [503, 'Service Unavailable', 'No server is available to handle this request.'],
  [504, 'Gateway Time-out', "The server didn't respond in time."],
];

export const errorPages: ReadonlyMap<ErrorStatus, ErrorPage> = new Map(
  texts.map(([status, reason, sentence]) => [status, makePage(status, reason, sentence)]),
);

function makePage(status: number, reason: string, sentence: string): ErrorPage {
  const body = `<html><body><h1>${status} ${reason}</h1>\n${sentence}\n</body></html>\n`;
  const line = `HTTP/1.1 ${status} ${reason}`;
  const fields = [
    ['content-length', String(body.length)],
    ['cache-control', 'no-cache'],
    ['content-type', 'text/html'],
  ] as const;
  const head = `${line}\r\n${fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`;
  return {
    status,
    minor: 1,
    delimited: true,
    verbatim: false,
    raw: ascii(
      `${line}\r\nContent-length: ${body.length}\r\nCache-Control: no-cache\r\nConnection: close\r\n` +
        `Content-Type: text/html\r\n\r\n${body}`,
    ),
    head: ascii(head),
    body: ascii(body),
    headLogBytes:
      21 +
      line.length -
      2 +
      fields.reduce((sum, [name, value]) => sum + name.length + value.length, 0) +
      // HAProxy's own pages for these two have the field from the beginning, so it counts it.
      (status === 400 || status === 408 ? 'connectionclose'.length : 0),
  };
}
