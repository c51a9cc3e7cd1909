/** The parts of a request line, as [start, end) in its bytes, without copying. The line is trusted to be `METHOD SP target SP version`. */
import type { LogRecord } from './record.ts';

export type RequestPart = 'r' | 'HM' | 'HU' | 'HP' | 'HPO' | 'HQ' | 'HV';

/** HAProxy keeps this much of a request line for its logs: tune.http.logurilen (1024) less a final NUL. */
const loggedBytesMax = 1023;

/** Where the part was found; overwritten by the next call of `locate`. */
export const located = { start: 0, end: 0 };

export function locate(record: LogRecord, part: RequestPart): void {
  const bytes = record.requestBytes;
  located.start = record.requestStart;
  located.end = Math.min(record.requestEnd, record.requestStart + loggedBytesMax);
  if (part === 'r') return;
  const methodEnd = find(bytes, space, located.start, located.end);
  if (part === 'HM') {
    located.end = methodEnd;
    return;
  }
  const targetStart = Math.min(methodEnd + 1, located.end);
  const targetEnd = find(bytes, space, targetStart, located.end);
  if (part === 'HV') {
    located.start = Math.min(targetEnd + 1, located.end);
    return;
  }
  located.start = targetStart;
  located.end = targetEnd;
  if (part === 'HU') return;
  const queryStart = find(bytes, questionMark, targetStart, targetEnd);
  if (part === 'HQ') {
    located.start = queryStart;
    return;
  }
  located.end = queryStart;
  if (part === 'HPO' && bytes[targetStart] !== slash) located.start = pathStart(bytes, targetStart, queryStart);
}

/** Start of the path of an absolute target (`http://host/path`); `end` when there is none, as in `OPTIONS *`. */
function pathStart(bytes: Uint8Array, start: number, end: number): number {
  const colon = find(bytes, 0x3a, start, end);
  return bytes[colon + 1] === slash && bytes[colon + 2] === slash ? find(bytes, slash, colon + 3, end) : end;
}

function find(bytes: Uint8Array, byte: number, start: number, end: number): number {
  let index = start;
  while (index < end && bytes[index] !== byte) index++;
  return Math.min(index, end);
}

const space = 0x20;
const questionMark = 0x3f;
const slash = 0x2f;
