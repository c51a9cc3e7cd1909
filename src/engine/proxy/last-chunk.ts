/** The end of a chunked body as it leaves us: the chunk of size 0 and the trailers that may pass (RFC 9112 §7.1). */
import type { BodyReader } from '../../core/http1/body.ts';
import type { Head } from '../../core/http1/head.ts';
import { readFields } from '../../core/http1/read-fields.ts';
import { type Output, writeTrailers } from '../../core/http1/write.ts';

/**
 * @param trailers a head to index the trailer fields with.
 * @returns the size for the log as HAProxy counts it, -1 when what was received there are no fields.
 */
export function writeLastChunk(out: Output, trailers: Head, body: BodyReader): number {
  let size = 1;
  out.append(lastChunk);
  if (body.trailerLength > 0) {
    // The reader kept the lines without the empty one behind them.
    const lines = new Uint8Array(body.trailerLength + 2);
    lines.set(body.trailer.subarray(0, body.trailerLength));
    lines.set(crlf, body.trailerLength);
    trailers.reset(lines);
    trailers.lineStart = 0;
    if (readFields(trailers, lines, 0, lines.length, false) <= 0) return -1;
    writeTrailers(out, trailers);
    size += trailers.fieldLogBytes();
  }
  out.crlf();
  return size;
}

const lastChunk = Uint8Array.of(48, 13, 10);
const crlf = Uint8Array.of(13, 10);
