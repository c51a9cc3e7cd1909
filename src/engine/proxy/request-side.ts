/** The request of an exchange on its way to the server: the head, kept until an answer began, and the body, which passes through. */
import { BodyReader } from '../../core/http1/body.ts';
import type { Head } from '../../core/http1/head.ts';
import { copyBytesMax, Output } from '../../core/http1/write.ts';
import type { Stream } from '../ports/streams.ts';
import { writeRequestHead } from './forward-head.ts';
import type { HttpClient } from './http-client.ts';
import { writeLastChunk } from './last-chunk.ts';
import { isHeadMethod, isIdempotent, isSafe } from './request-facts.ts';
import type { BackendRuntime, ProxyContext } from './runtime.ts';
import { acceptsUpgrade, requestedUpgrade } from './upgrade.ts';

export class RequestSide {
  readonly body = new BodyReader();
  /** The head as it goes to the server; its first line is what the log shows. */
  readonly head = new Output(1_024);
  lineLength = 0;
  minor = 1;
  isHead = false;
  #idempotent = false;
  #safe = false;
  /** The protocols it asks for, see upgrade.ts. */
  #upgrade: string | undefined;
  /** The server's stream, or the wait for a server, holds the body back. */
  blocked = false;
  #bodySent = false;
  /** Bytes of body that were dropped because it was answered already. */
  dropped = 0;

  /** @param keepServer ask the server to keep the connection. @param backend undefined: there is nowhere to send it. */
  begin(head: Head, client: HttpClient, backend: BackendRuntime | undefined, keepServer: boolean): void {
    this.blocked = this.#bodySent = false;
    this.dropped = 0;
    this.minor = head.minor;
    this.isHead = isHeadMethod(head);
    this.#idempotent = isIdempotent(head);
    if (head.chunked) this.body.begin('chunked', 0);
    else if (head.contentLength > 0) this.body.begin('length', head.contentLength);
    else this.body.begin('none', 0);
    this.#safe = this.body.done && isSafe(head);
    this.#upgrade = this.body.done ? requestedUpgrade(head) : undefined;
    const out = this.head;
    out.length = 0;
    if (backend === undefined) {
      out.copy(head.buffer, head.lineStart, head.lineEnd);
      this.lineLength = out.length;
    } else this.lineLength = writeRequestHead(out, head, client, keepServer, this.#upgrade !== undefined);
  }

  /** The connection was reused and may have been dead before the request was sent: sending again is the sender's duty (RFC 9112 §9.3.1). */
  get mayGoAgain(): boolean {
    return this.#idempotent && !this.#bodySent;
  }

  /** It may be given to two servers: it asks for no change and has no body (RFC 9110 §9.2.1, §9.2.2). */
  get mayGoElsewhere(): boolean {
    return this.#safe;
  }

  /** @param head of a 101: does it switch to something this request asked for? */
  acceptsSwitch(head: Head): boolean {
    return this.#upgrade !== undefined && acceptsUpgrade(head, this.#upgrade);
  }

  /** @returns false when the server's stream wants a pause. */
  sendHead(stream: Stream): boolean {
    return stream.write(this.head.bytes, 0, this.head.length);
  }

  /**
   * Sends the piece of body that the reader found last.
   * @param report counts what trailers add.
   * @returns `blocked` when the server's stream wants a pause, `bad` when the trailers are none.
   */
  sendBody(context: ProxyContext, stream: Stream, buffer: Uint8Array, report: { bytesUploaded: number }): BodySent {
    const { body } = this;
    const { dataStart: start, dataEnd: end } = body;
    this.#bodySent = true;
    let go = true;
    if (body.kind === 'length') go = stream.write(buffer, start, end);
    else {
      const { out } = context;
      out.length = 0;
      if (start < end) {
        out.chunkSize(end - start);
        if (end - start <= copyBytesMax) out.copy(buffer, start, end);
        else {
          stream.write(out.bytes, 0, out.length);
          out.length = 0;
          stream.write(buffer, start, end);
        }
        out.crlf();
      }
      if (body.done) {
        const size = writeLastChunk(out, context.trailers, body);
        if (size < 0) return 'bad';
        report.bytesUploaded += size;
      }
      if (out.length > 0) go = stream.write(out.bytes, 0, out.length);
    }
    this.blocked = !go;
    return go ? 'sent' : 'blocked';
  }
}

export type BodySent = 'sent' | 'blocked' | 'bad';
