/**
 * The one log record of a worker, filled anew at the end of each exchange. Addresses are asked of the streams only when somebody
 * reads them: our own address towards a server costs a system call and hardly any format prints it.
 */
import type { SocketAddress } from '../../core/address.ts';
import type { LogRecord } from '../../core/log/record.ts';
import type { Stream } from '../ports/streams.ts';

const nothing = new Uint8Array(0);

export class ExchangeRecord implements LogRecord {
  client: Stream | undefined;
  /** The listener's number within its frontend, from 1: what HAProxy shows for the port of a unix socket. */
  listener = 0;
  serverStream: Stream | undefined;
  serverAddress: SocketAddress | undefined;

  get clientHost(): string {
    return host(this.client?.remoteAddress());
  }
  get clientPort(): number {
    return this.#portOf(this.client?.remoteAddress());
  }
  get frontendHost(): string {
    return host(this.client?.localAddress());
  }
  get frontendPort(): number {
    return this.#portOf(this.client?.localAddress());
  }
  get backendHost(): string {
    return host(this.serverStream?.localAddress());
  }
  get backendPort(): number {
    return port(this.serverStream?.localAddress());
  }
  get serverHost(): string {
    return host(this.serverAddress);
  }
  get serverPort(): number {
    return port(this.serverAddress);
  }

  #portOf(address: SocketAddress | undefined): number {
    return address?.family === 'unix' ? this.listener : port(address);
  }

  frontendName = '';
  backendName = '';
  serverName = '';
  acceptedWallMs = 0;
  requestWallMs = 0;
  handshakeMs = 0;
  idleMs = 0;
  requestMs = -1;
  queueMs = -1;
  connectMs = -1;
  responseMs = -1;
  dataMs = -1;
  activeMs = 0;
  totalMs = 0;
  asap = false;
  status = -1;
  bytesRead = 0;
  bytesUploaded = 0;
  terminationCause = '-';
  terminationState = '-';
  activeConnections = 0;
  frontendConnections = 0;
  backendConnections = 0;
  serverConnections = 0;
  retries = 0;
  redispatched = false;
  serverQueue = 0;
  backendQueue = 0;
  requestBytes: Uint8Array = nothing;
  requestStart = 0;
  requestEnd = 0;
  requestCounter = 0;
}

/** Whole milliseconds, -1 stays -1. */
export function whole(ms: number): number {
  return ms < 0 ? -1 : Math.floor(ms);
}

function host(address: SocketAddress | undefined): string {
  if (address === undefined) return '';
  // HAProxy names a unix socket's peer so.
  return address.family === 'unix' ? 'unix' : address.host;
}

function port(address: SocketAddress | undefined): number {
  return address === undefined || address.family === 'unix' ? 0 : address.port;
}
