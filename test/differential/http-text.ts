/** Reading HTTP/1.1 messages out of recorded bytes, for comparing. Not a proxy's parser: it trusts what it reads. */

export interface Message {
  readonly startLine: string;
  /** Lower-case names, in the order received. */
  readonly headers: readonly (readonly [string, string])[];
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  /** Decoded; Latin-1. */
  readonly body: string;
  /** False when the bytes ended before the message did. */
  readonly complete: boolean;
  readonly end: number;
}

/**
 * Reads one message at `start`, or undefined when its head isn't complete.
 * @param ended no more bytes will come.
 * @param bodiless the answer to HEAD.
 */
export function readMessage(bytes: string, start: number, ended: boolean, bodiless: boolean): Message | undefined {
  const headEnd = bytes.indexOf('\r\n\r\n', start);
  if (headEnd < 0) return undefined;
  const [startLine, ...fields] = bytes.slice(start, headEnd).split('\r\n') as [string, ...string[]];
  const headers = fields.map((field) => {
    const colon = field.indexOf(':');
    return [field.slice(0, colon).toLowerCase(), field.slice(colon + 1).trim()] as const;
  });
  const head = { startLine, headers };
  const bodyStart = headEnd + 4;
  const value = (name: string) => headers.find(([key]) => key === name)?.[1];
  const status = /^HTTP\/\S+ (\d+)/.exec(startLine)?.[1];
  if (bodiless || status?.startsWith('1') || status === '204' || status === '304')
    return { ...head, framing: 'none', body: '', complete: true, end: bodyStart };
  if (value('transfer-encoding')?.toLowerCase().includes('chunked'))
    return { ...head, ...readChunks(bytes, bodyStart) };
  const length = value('content-length');
  if (length !== undefined) {
    const end = bodyStart + Number(length);
    return { ...head, framing: 'length', body: bytes.slice(bodyStart, end), complete: bytes.length >= end, end };
  }
  if (status === undefined) return { ...head, framing: 'none', body: '', complete: true, end: bodyStart };
  return { ...head, framing: 'close', body: bytes.slice(bodyStart), complete: ended, end: bytes.length };
}

function readChunks(bytes: string, start: number) {
  let body = '';
  let at = start;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = lineEnd < 0 ? Number.NaN : Number.parseInt(bytes.slice(at, lineEnd), 16);
    if (Number.isNaN(size)) return { framing: 'chunked' as const, body, complete: false, end: bytes.length };
    if (size === 0) {
      const trailersEnd = bytes.startsWith('\r\n', lineEnd + 2) ? lineEnd + 4 : bytes.indexOf('\r\n\r\n', lineEnd) + 4;
      const complete = trailersEnd >= 4 && bytes.length >= trailersEnd;
      const trailers = complete ? bytes.slice(lineEnd + 2, trailersEnd - 4) : '';
      return {
        framing: 'chunked' as const,
        body: body + (trailers && `\r\n[trailers] ${trailers}`),
        complete,
        end: complete ? trailersEnd : bytes.length,
      };
    }
    body += bytes.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + 2 + size + 2;
    if (at > bytes.length) return { framing: 'chunked' as const, body, complete: false, end: bytes.length };
  }
}

/** All responses in `bytes`; `methods` are those of the requests, in order. What is left over comes as `rest`. */
export function readResponses(bytes: string, methods: readonly string[], ended: boolean) {
  const responses: Message[] = [];
  let at = 0;
  let finals = 0;
  while (at < bytes.length) {
    const message = readMessage(bytes, at, ended, methods[finals] === 'HEAD');
    if (message === undefined || !message.startLine.startsWith('HTTP/')) break;
    responses.push(message);
    at = message.end;
    if (/^\S+ 101/.test(message.startLine)) break; // what follows is another protocol
    if (!/^\S+ 1/.test(message.startLine) && message.complete) finals++;
    if (!message.complete) break;
  }
  return { responses, finals, rest: bytes.slice(at) };
}

/** Methods of the requests in what a client sent. */
export function methodsIn(sent: string): string[] {
  return [...sent.matchAll(/(?:^|\n)([A-Z]+) \S* HTTP\/1\.\d\r\n/g)].map((match) => match[1]!);
}

/** A message as lines. Names in lower case and sorted: neither case nor order between different names means anything (RFC 9110 §5.3). */
export function messageLines(message: Message): string[] {
  const fields = message.headers.map(([name, value]) => `${name}: ${name === 'date' ? '{date}' : value}`);
  fields.sort((a, b) => compareText(a.split(':')[0]!, b.split(':')[0]!));
  return [
    message.startLine,
    ...fields.map((field) => `  ${field}`),
    ...(message.framing === 'none'
      ? []
      : [`  (${message.framing}${message.complete ? '' : ', cut off'}) ${shown(message.body)}`]),
  ];
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Bytes readable on one line; a long body by length and sum. */
export function shown(bytes: string): string {
  if (bytes.length <= 400) return JSON.stringify(bytes);
  let sum = 0;
  for (let index = 0; index < bytes.length; index++) sum = (Math.imul(sum, 31) + bytes.charCodeAt(index)) >>> 0;
  return `${JSON.stringify(bytes.slice(0, 40))}… ${bytes.length} bytes, sum ${sum.toString(16)}`;
}
