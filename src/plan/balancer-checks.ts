/** Health checks of the Plan: when, where to, the bytes to send, the answer to expect. */
import type { ExpectLine, HttpCheckLine, ProxySettings, ServerSettings } from '../config/haproxy/config.ts';
import type { SocketAddress } from '../core/address.ts';
import type { CheckExpectation, CheckPlan } from './balancer.ts';

/** Manual 5.2 inter, rise, fall. */
const intervalDefaultMs = 2000;
const riseDefault = 2;
const fallDefault = 3;

/** `server` is the complete settings of the server; `address` where the check goes. */
export function checkPlan(
  settings: ProxySettings,
  server: ServerSettings,
  address: SocketAddress | undefined,
): CheckPlan {
  const kind = settings.checkKind?.value ?? 'tcp';
  const intervalMs = server.intervalMs?.value ?? intervalDefaultMs;
  const checkTimeoutMs = settings.timeouts.check?.value ?? 0;
  const connectTimeoutMs = settings.timeouts.connect?.value ?? 0;
  const [first, ...others] = kind === 'http' ? settings.httpCheckExpect.map(expectation) : [];
  return {
    kind,
    address,
    followsServer: server.checkAddress === undefined,
    port: server.checkPort?.value,
    intervalMs,
    fastIntervalMs: server.fastIntervalMs?.value ?? intervalMs,
    downIntervalMs: server.downIntervalMs?.value ?? intervalMs,
    rise: server.rise?.value ?? riseDefault,
    fall: server.fall?.value ?? fallDefault,
    request: kind === 'http' ? checkRequest(settings.httpCheckOption, settings.httpCheckSend) : new Uint8Array(0),
    expect: first,
    expectAlso: others,
    connectTimeoutMs: checkTimeoutMs > 0 && connectTimeoutMs > 0 ? Math.min(connectTimeoutMs, intervalMs) : intervalMs,
    responseTimeoutMs: checkTimeoutMs > 0 ? checkTimeoutMs : intervalMs,
    timeoutFromStart: checkTimeoutMs === 0,
  };
}

function expectation({ kind, negate, pattern, statuses }: ExpectLine): CheckExpectation {
  return { kind, negate, pattern, statuses };
}

/**
 * The request as HAProxy 2.6 writes it: header names in lower case, the configured headers, content-length with a body, and
 * `connection: close` unless the version is below 1.1 or a Connection header was configured (which itself is not sent).
 */
export function checkRequest(option: HttpCheckLine | undefined, send: HttpCheckLine | undefined): Uint8Array {
  // Each line sets what it names; where both name it, the later line counts.
  const lines = [option, send].filter((line) => line !== undefined).sort((a, b) => a.place.line - b.place.line);
  const last = <Key extends 'method' | 'uri' | 'version' | 'body'>(key: Key): string | undefined =>
    lines.findLast((line) => line[key] !== undefined)?.[key];
  const headers = lines.findLast((line) => line.headers.length > 0)?.headers ?? [];
  const version11 = isVersion11(last('version') ?? 'HTTP/1.0');
  const body = utf8(last('body') ?? '');
  const out = [`${last('method') ?? 'OPTIONS'} ${last('uri') ?? '/'} HTTP/1.${version11 ? 1 : 0}`];
  for (const { name, value } of headers)
    if (!ownHeaders.has(name.toLowerCase())) out.push(`${name.toLowerCase()}: ${value}`);
  if (body.length > 0) out.push(`content-length: ${body.length}`);
  if (version11 && !headers.some(({ name }) => name.toLowerCase() === 'connection')) out.push('connection: close');
  return Uint8Array.from([...utf8(`${out.join('\r\n')}\r\n\r\n`), ...body]);
}

/** Headers that are the checker's own affair; configured ones are left out, as HAProxy does. */
const ownHeaders: ReadonlySet<string> = new Set(['connection', 'content-length', 'transfer-encoding']);

/** HAProxy sends 1.1 for everything that is at least that: `HTTP/1.1`, `HTTP/2.0`, `HTTP/2`. */
function isVersion11(text: string): boolean {
  const match = /^.{5}([0-9])(?:\.([0-9]))?$/.exec(text);
  if (match === null) return false;
  return Number(match[1]) > 1 || (match[1] === '1' && Number(match[2] ?? 0) >= 1);
}

/** Bytes of a text as the configuration file had them: the lexer's characters are UTF-8 text. */
function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
