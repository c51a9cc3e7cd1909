/** Heads as they leave us: the request towards the server, the response towards the client (RFC 9110 §7.6, RFC 9112 §9). */
import { ipBytes } from '../../core/address.ts';
import { ascii } from '../../core/http1/bytes.ts';
import type { Head } from '../../core/http1/head.ts';
import { type HopByHop, type Output, writeFields } from '../../core/http1/write.ts';
import type { ForwardForPlan } from '../../plan/balancer.ts';
import type { BackendRuntime, FrontendRuntime } from './runtime.ts';

const hop: HopByHop = { upgrade: false, dropEncoding: false, dropLength: false, dropExpect: false };

/**
 * @param keepServer ask the server to keep the connection.
 * @returns length of the request line in `out`, without its line end.
 */
export function writeRequestHead(
  out: Output,
  head: Head,
  frontend: FrontendRuntime,
  backend: BackendRuntime,
  clientHost: string,
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
  writeForwardedFor(out, head, frontend, backend, clientHost);
  if (!keepServer) {
    if (head.minor > 0 && !upgrade) out.append(connectionClose);
  } else if (head.minor === 0) out.append(connectionKeepAlive);
  out.crlf();
  return lineLength;
}

/** X-Forwarded-For or the name that `option forwardfor header` gives; the backend's word counts before the frontend's. */
function writeForwardedFor(
  out: Output,
  head: Head,
  frontend: FrontendRuntime,
  backend: BackendRuntime,
  clientHost: string,
): void {
  const name = backend.forwardForName ?? frontend.forwardForName;
  if (name === undefined || clientHost === '') return;
  const plan = backend.plan.forwardFor ?? frontend.plan.forwardFor!;
  if (plan.ifNone && head.find(name) >= 0) return;
  if (isExcepted(frontend.plan.forwardFor, clientHost) || isExcepted(backend.plan.forwardFor, clientHost)) return;
  out.append(name);
  out.reserve(clientHost.length + 4);
  out.bytes[out.length++] = 58;
  out.bytes[out.length++] = 32;
  for (let i = 0; i < clientHost.length; i++) out.bytes[out.length++] = clientHost.charCodeAt(i);
  out.crlf();
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

const http10 = ascii(' HTTP/1.0');
const http11 = ascii(' HTTP/1.1');
const http10Status = ascii('HTTP/1.0 ');
const http11Status = ascii('HTTP/1.1 ');
const space = ascii(' ');
const hostName = ascii('host: ');
const connectionClose = ascii('connection: close\r\n');
const connectionKeepAlive = ascii('connection: keep-alive\r\n');
