/** Heads as they leave us: the request towards the server, the response towards the client (RFC 9110 §7.6, RFC 9112 §9). */
import { ipBytes, type SocketAddress } from '../../core/address.ts';
import { ascii } from '../../core/http1/bytes.ts';
import type { Head } from '../../core/http1/head.ts';
import { type HopByHop, type Output, writeFields } from '../../core/http1/write.ts';
import type { ForwardForPlan } from '../../plan/balancer.ts';
import type { HttpClient } from './http-client.ts';
import type { FrontendRuntime } from './runtime.ts';

const hop: HopByHop = { upgrade: false, dropEncoding: false, dropLength: false, dropExpect: false };

/**
 * @param keepServer ask the server to keep the connection.
 * @returns length of the request line in `out`, without its line end.
 */
export function writeRequestHead(
  out: Output,
  head: Head,
  client: HttpClient,
  keepServer: boolean,
  upgrade: boolean,
): number {
  out.copy(head.buffer, head.lineStart, head.targetEnd);
  out.append(head.minor === 0 ? http10 : http11);
  const lineLength = out.length;
  out.crlf();
  hop.upgrade = upgrade;
  hop.dropEncoding = hop.dropLength = false;
  // RFC 9110 §10.1.1: an expectation of an HTTP/1.0 client is ignored.
  hop.dropExpect = head.minor === 0;
  // RFC 9112 §3.2.2: the authority of an absolute-form target is the host.
  if (head.hostStart < 0 && head.authorityStart >= 0) {
    out.append(hostName);
    out.copy(head.buffer, head.authorityStart, head.authorityEnd);
    out.crlf();
  }
  writeFields(out, head, hop);
  const { forwardFor } = client.frontend;
  if (forwardFor !== undefined && !(forwardFor.plan.ifNone && head.find(forwardFor.name) >= 0))
    out.append(client.forwardedForLine());
  if (!keepServer) {
    if (head.minor > 0 && !upgrade) out.append(connectionClose);
  } else if (head.minor === 0) out.append(connectionKeepAlive);
  out.crlf();
  return lineLength;
}

/** X-Forwarded-For, or the name that `option forwardfor header` gives, with the client's address; empty when the client gets none. */
export function forwardedForLine({ plan, backend, forwardFor }: FrontendRuntime, client: SocketAddress): Uint8Array {
  if (forwardFor === undefined || client.family === 'unix' || client.host === '') return nothing;
  if (isExcepted(plan.forwardFor, client.host) || isExcepted(backend?.plan.forwardFor, client.host)) return nothing;
  return ascii(`${forwardFor.plan.header.toLowerCase()}: ${client.host}\r\n`);
}

function isExcepted(plan: ForwardForPlan | undefined, clientHost: string): boolean {
  if (plan?.except === undefined) return false;
  const network = ipBytes(plan.except.network);
  const client = ipBytes(clientHost);
  if (network === undefined || client === undefined || network.length !== client.length) return false;
  for (let bit = 0; bit < plan.except.prefix; bit++)
    if (((network[bit >> 3]! ^ client[bit >> 3]!) & (128 >> (bit & 7))) !== 0) return false;
  return true;
}

export interface ResponseShape {
  /** Fields about the body's length mean nothing: the message has none and can't say so (1xx, 204). */
  dropFraming: boolean;
  /** The body leaves without chunks, delimited by the end of the connection (HTTP/1.0 client). */
  dropEncoding: boolean;
  upgrade: boolean;
  /** The client connection goes on; undefined for interim responses, which say nothing about it. */
  keepClient: boolean | undefined;
  clientMinor: number;
}

/** The version stays the server's, as HAProxy leaves it: an HTTP/1.0 server's answer keeps its meaning for the client. */
export function writeResponseHead(out: Output, head: Head, shape: ResponseShape): void {
  out.append(head.minor === 0 ? http10Status : http11Status);
  out.decimal(head.status);
  out.append(space);
  out.copy(head.buffer, head.reasonStart, head.reasonEnd);
  out.crlf();
  hop.upgrade = shape.upgrade;
  hop.dropEncoding = shape.dropEncoding || shape.dropFraming;
  hop.dropLength = shape.dropFraming || head.chunked;
  hop.dropExpect = false;
  writeFields(out, head, hop);
  if (shape.keepClient === true) {
    if (shape.clientMinor === 0 || head.minor === 0) out.append(connectionKeepAlive);
  } else if (shape.keepClient === false && head.minor > 0) out.append(connectionClose);
  out.crlf();
}

const nothing = new Uint8Array(0);
const http10 = ascii(' HTTP/1.0');
const http11 = ascii(' HTTP/1.1');
const http10Status = ascii('HTTP/1.0 ');
const http11Status = ascii('HTTP/1.1 ');
const space = ascii(' ');
const hostName = ascii('host: ');
const connectionClose = ascii('connection: close\r\n');
const connectionKeepAlive = ascii('connection: keep-alive\r\n');
