/** The response of an exchange on its way to the client: heads are written anew, the body passes through, chunked anew where need be. */
import { BodyReader } from '../../core/http1/body.ts';
import type { Head } from '../../core/http1/head.ts';
import { isBodyless, readResponse } from '../../core/http1/read-response.ts';
import { copyBytesMax } from '../../core/http1/write.ts';
import { interimResponsesMax } from '../../core/limits.ts';
import { type ErrorStatus, writePage } from '../error-pages.ts';
import type { ExchangeReport } from './exchange-report.ts';
import { type ResponseShape, writeResponseHead } from './forward-head.ts';
import type { HttpClient } from './http-client.ts';
import { writeLastChunk } from './last-chunk.ts';
import type { RequestSide } from './request-side.ts';
import type { ServerConnection } from './server-connection.ts';

/**
 * What the bytes of a server came to. `more`: all went through, more is to come · `blocked`: the same, but the client's stream wants
 * a pause · `done` · `surplus`: done, and the server sent something behind it · `switch`: a 101 that was asked for · `bad`.
 */
export type ResponseResult = 'more' | 'blocked' | 'done' | 'surplus' | 'switch' | 'bad';

export interface ResponseOwner {
  /** The final response's head was read and is about to leave. */
  responseBegins(): void;
  /** Since when the server has the request. */
  readonly connectedAt: number;
}

export class ResponseSide {
  readonly body = new BodyReader();
  #client!: HttpClient;
  readonly #request: RequestSide;
  readonly #report: ExchangeReport;
  readonly #owner: ResponseOwner;
  /** The client keeps its connection for another request, and the server its own. */
  keepClient = false;
  keepServer = false;
  /** A part of the final response, or of a tunnel, has left to the client. */
  started = false;
  #chunked = false;
  #interims = 0;
  /** After `switch`: what came behind the 101. */
  restStart = 0;
  restEnd = 0;
  rest: Uint8Array | undefined;

  constructor(request: RequestSide, report: ExchangeReport, owner: ResponseOwner) {
    this.#owner = owner;
    this.#request = request;
    this.#report = report;
  }

  begin(client: HttpClient, keepClient: boolean, keepServer: boolean): void {
    this.#client = client;
    this.keepClient = keepClient;
    this.keepServer = keepServer;
    this.started = this.#chunked = false;
    this.#interims = 0;
    this.body.begin('none', 0);
  }

  /** Nothing of any response has come over this connection. */
  isUntouched(connection: ServerConnection): boolean {
    return connection.held.length === 0 && this.#interims === 0;
  }

  /** The client can see by itself that a body that breaks off here is not complete (RFC 9112 §8). */
  get isDelimited(): boolean {
    return this.body.kind === 'length' || this.#chunked;
  }

  /** Reads what comes until the final head is whole, and the body behind it. */
  readHead(connection: ServerConnection, piece: Uint8Array, pieceStart: number, pieceEnd: number): ResponseResult {
    const { context } = this.#client;
    const head = context.responseHead;
    const { held } = connection;
    let buffer = piece;
    let start = pieceStart;
    let end = pieceEnd;
    if (held.length > 0) {
      const useful = held.append(piece, pieceStart, pieceEnd);
      if (!useful && held.length <= context.headBytesMax) return 'more';
      buffer = held.bytes;
      start = held.start;
      end = held.end;
      held.clear();
    }
    while (start < end) {
      const after = readResponse(head, buffer, start, end, context.headBytesMax);
      if (after < 0) return 'bad';
      if (after === 0) {
        held.keep(buffer, start, end);
        return 'more';
      }
      if (head.status === 101) return this.#switch(head, buffer, after, end);
      if (head.status >= 200) return this.#startFinal(head, buffer, after, end);
      if (++this.#interims > interimResponsesMax) return 'bad';
      this.#forwardInterim(head);
      start = after;
    }
    return 'more';
  }

  /** RFC 9110 §15.2: every interim response is passed on, but not to HTTP/1.0 clients, who don't know them. */
  #forwardInterim(head: Head): void {
    this.#report.interimResponse(head.logBytes());
    if (this.#request.minor > 0) this.#writeInterim(head, false);
  }

  #writeInterim(head: Head, upgrade: boolean): void {
    const { out } = this.#client.context;
    out.length = 0;
    shape.dropFraming = true;
    shape.dropEncoding = false;
    shape.upgrade = upgrade;
    shape.keepClient = undefined;
    shape.clientMinor = this.#request.minor;
    writeResponseHead(out, head, shape);
    this.#client.stream.write(out.bytes, 0, out.length);
  }

  /** RFC 9110 §7.8: a server switches only to what was asked for. */
  #switch(head: Head, buffer: Uint8Array, start: number, end: number): ResponseResult {
    if (!this.#request.acceptsSwitch(head)) return 'bad';
    this.#report.response(101, head.logBytes(), this.#client.context.clock.now(), this.#owner.connectedAt);
    this.#writeInterim(head, true);
    this.started = true;
    this.keepClient = this.keepServer = false;
    this.rest = buffer;
    this.restStart = start;
    this.restEnd = end;
    return 'switch';
  }

  #startFinal(head: Head, buffer: Uint8Array, start: number, end: number): ResponseResult {
    const { context } = this.#client;
    const clientMinor = this.#request.minor;
    this.#report.response(head.status, head.logBytes(), context.clock.now(), this.#owner.connectedAt);
    if (head.minor > 0 ? head.connectionClose : !head.connectionKeepAlive) this.keepServer = false;
    this.#frame(head, clientMinor);
    if (context.draining) this.keepClient = false;
    const { out } = context;
    out.length = 0;
    shape.dropFraming = head.status === 204;
    shape.dropEncoding = head.chunked && clientMinor === 0;
    shape.upgrade = false;
    shape.keepClient = this.keepClient;
    shape.clientMinor = clientMinor;
    writeResponseHead(out, head, shape);
    this.#owner.responseBegins();
    return this.readBody(buffer, start, end, out.length, head.lineStart);
  }

  /** How the body comes, and how it leaves (RFC 9112 §6.3). */
  #frame(head: Head, clientMinor: number): void {
    this.#chunked = false;
    if (isBodyless(head.status, this.#request.isHead)) {
      this.body.begin('none', 0);
      // A body announced where there can be none: what follows on this connection is anybody's guess.
      if (head.status === 204 && (head.chunked || head.contentLength > 0)) this.keepServer = false;
    } else if (head.chunked) {
      this.body.begin('chunked', 0);
      this.#chunked = clientMinor > 0;
      if (!this.#chunked) this.keepClient = false;
    } else if (head.contentLength >= 0) this.body.begin('length', head.contentLength);
    else {
      this.body.begin('until-close', 0);
      this.keepClient = this.keepServer = false;
    }
  }

  /**
   * @param pending bytes of the context's output that go before the body.
   * @param free from here to `start` the buffer holds nothing that anybody needs.
   */
  readBody(buffer: Uint8Array, start: number, end: number, pending: number, free: number): ResponseResult {
    const { context, stream } = this.#client;
    const { out } = context;
    const { body } = this;
    out.length = pending;
    let at = start;
    let go = true;
    while (at < end && !body.done) {
      at = body.read(buffer, at, end);
      if (body.error !== undefined) break;
      const size = body.dataEnd - body.dataStart;
      if (size === 0) continue;
      this.#report.bytesRead += size;
      if (out.length > 0 && body.kind === 'length' && out.length <= body.dataStart - free) {
        // The head goes over the one that was received, right before its body: both leave as one, and no body is copied.
        const from = body.dataStart - out.length;
        out.copyTo(buffer, from);
        out.length = 0;
        this.started = true;
        go = stream.write(buffer, from, body.dataEnd);
        continue;
      }
      if (this.#chunked) out.chunkSize(size);
      if (size <= copyBytesMax && out.length <= 4 * copyBytesMax) out.copy(buffer, body.dataStart, body.dataEnd);
      else {
        if (out.length > 0) stream.write(out.bytes, 0, out.length);
        out.length = 0;
        this.started = true;
        go = stream.write(buffer, body.dataStart, body.dataEnd);
      }
      if (this.#chunked) out.crlf();
    }
    if (body.done && body.kind === 'chunked') this.#endChunks();
    // A first piece that is nonsense is held back whole: the client is told 502 instead.
    if (body.error !== undefined && !this.started) return 'bad';
    if (out.length > 0) go = stream.write(out.bytes, 0, out.length);
    this.started = true;
    if (body.error !== undefined) return 'bad';
    if (body.done) return at < end ? 'surplus' : 'done';
    return go ? 'more' : 'blocked';
  }

  /** Answers in the server's place. */
  writeError(status: ErrorStatus): void {
    const { context, stream, frontend } = this.#client;
    const { out } = context;
    const page = frontend.errorPages.get(status)!;
    out.length = 0;
    this.#report.status = status;
    if (!this.#request.body.done || context.draining || !page.delimited) this.keepClient = false;
    this.#report.bytesRead += writePage(out, page, this.keepClient, this.#request.minor, this.#request.isHead);
    stream.write(out.bytes, 0, out.length);
  }

  #endChunks(): void {
    const { out, trailers } = this.#client.context;
    if (!this.#chunked) {
      this.#report.bytesRead++;
      return;
    }
    const size = writeLastChunk(out, trailers, this.body);
    if (size < 0) this.body.error = 'trailer';
    else this.#report.bytesRead += size;
  }
}

const shape: ResponseShape = {
  dropFraming: false,
  dropEncoding: false,
  upgrade: false,
  keepClient: false,
  clientMinor: 1,
};
