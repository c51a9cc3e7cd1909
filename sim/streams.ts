/**
 * The Streams port in virtual time: a network of TCP connections with delays, segments of chosen sizes, windows that fill up,
 * half-closes, resets (one end of a connection: stream.ts), and hosts that refuse or swallow. Received bytes stand in one buffer that is
 * overwritten after each call, so that whoever keeps a view instead of a copy is found out at once.
 */
import type { InetAddress, SocketAddress } from '../src/core/address.ts';
import type {
  ConnectOptions,
  Listener,
  ListenerSocket,
  Stream,
  StreamHandler,
  Streams,
} from '../src/engine/ports/streams.ts';
import type { VirtualTime } from './clock.ts';
import { SimStream } from './stream.ts';

export interface NetworkOptions {
  /** One way, milliseconds. */
  readonly delayMs?: number;
  /** Size of the next segment, 1 or more bytes; by default as much as fits. */
  readonly segmentBytes?: () => number;
  /** Bytes that may be under way or unread at the receiver. */
  readonly windowBytes?: number;
}

type Reach = 'open' | 'silent';

export class Network {
  readonly time: VirtualTime;
  readonly delayMs: number;
  readonly segmentBytes: () => number;
  readonly windowBytes: number;
  readonly #listeners = new Map<string, SimListener>();
  readonly #bound = new Set<string>();
  readonly #reach = new Map<string, Reach>();
  #ports = 49_152;
  #fds = 3;
  readonly received = new Uint8Array(65_536 + 7);

  constructor(time: VirtualTime, options: NetworkOptions = {}) {
    this.time = time;
    this.delayMs = options.delayMs ?? 0;
    this.segmentBytes = options.segmentBytes ?? (() => 65_536);
    this.windowBytes = options.windowBytes ?? 65_536;
  }

  /** A host's view of the network. @param host its address. */
  streams(host: string): Streams {
    return {
      listen: (socket, _options, accepted) => {
        const listener = new SimListener(this, key(socket.address), accepted);
        this.#listeners.set(key(socket.address), listener);
        return listener;
      },
      connect: (options, handler) => this.#connect(host, options, handler),
    };
  }

  /** A listening socket; connections wait in its backlog until somebody listens. */
  bind(host: string, port = 0): ListenerSocket {
    const address: InetAddress = { family: 'ipv4', host, port: port === 0 ? this.#ports++ : port };
    this.#bound.add(key(address));
    return { fd: this.#fds++, address };
  }

  unbind(socket: ListenerSocket): void {
    this.#bound.delete(key(socket.address));
  }

  /** `silent`: nothing answers there any more, neither connections nor refusals. */
  setReach(address: SocketAddress, reach: Reach): void {
    this.#reach.set(key(address), reach);
  }

  forget(address: string, listener: SimListener): void {
    if (this.#listeners.get(address) === listener) this.#listeners.delete(address);
  }

  #connect(host: string, options: ConnectOptions, handler: StreamHandler): Stream {
    const from = options.from?.family === 'ipv4' ? options.from.host : host;
    const local: InetAddress = { family: 'ipv4', host: from, port: this.#ports++ };
    const stream = new SimStream(this, local, options.to);
    stream.handler = handler;
    this.time.after(this.delayMs, () => this.#arrive(stream, local, options.to));
    return stream;
  }

  #arrive(stream: SimStream, from: SocketAddress, to: SocketAddress): void {
    if (stream.gone || this.#reach.get(key(to)) === 'silent') return;
    const listener = this.#listeners.get(key(to));
    if (!this.#bound.has(key(to))) {
      this.time.after(this.delayMs, () => stream.end('refused'));
      return;
    }
    const peer = new SimStream(this, to, from);
    peer.established = true;
    peer.peer = stream;
    stream.peer = peer;
    listener?.offer(peer);
    this.time.after(this.delayMs, () => stream.establish());
  }
}

function key(address: SocketAddress): string {
  return address.family === 'unix' ? address.path : `${address.host}:${address.port}`;
}

class SimListener implements Listener {
  readonly #network: Network;
  readonly #address: string;
  readonly #accepted: (stream: Stream) => StreamHandler | undefined;
  readonly #backlog: SimStream[] = [];
  #paused = false;
  #closed = false;

  constructor(network: Network, address: string, accepted: (stream: Stream) => StreamHandler | undefined) {
    this.#network = network;
    this.#address = address;
    this.#accepted = accepted;
  }

  offer(stream: SimStream): void {
    this.#backlog.push(stream);
    if (!this.#paused) this.#take();
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#network.time.after(0, () => this.#take());
  }

  close(): void {
    this.#closed = true;
    this.#network.forget(this.#address, this);
    for (const stream of this.#backlog.splice(0)) stream.reset();
  }

  #take(): void {
    while (!this.#paused && !this.#closed && this.#backlog.length > 0) {
      const stream = this.#backlog.shift()!;
      if (stream.gone) continue;
      stream.handler = this.#accepted(stream);
      if (stream.handler === undefined) stream.reset();
      else stream.deliverLater();
    }
  }
}
