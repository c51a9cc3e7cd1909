/** The Streams port over one ring, for the thread that makes it. */
import type { SocketAddress } from '../../core/address.ts';
import type { ConnectOptions, Stream, StreamHandler, Streams } from '../../engine/ports/streams.ts';
import type { Clock } from '../../engine/ports/time.ts';
import { errno, errorName, libc, linux } from '../libc.ts';
import { encodeSockaddr, sockaddrBytesMax } from '../sockaddr.ts';
import { streamError } from '../stream-error.ts';
import { mapBytes } from './ledger.ts';
import { setOn, UringListener } from './listener.ts';
import { UringLoop } from './loop.ts';
import { UringStream } from './stream.ts';

/** What a thread has when it lives on io_uring. */
export interface UringWorld {
  readonly streams: Streams;
  /** The loop's own clock: Node's timers work too, but alarms of this one cost no system call. */
  readonly clock: Clock;
  /** Streams and listeners that still have something under way in the kernel. */
  pending(): number;
  /** For tests and statistics. */
  readonly loop: UringLoop;
  /** Ends the loop and with it the ring; every stream and listener must be gone, or is cut off without a word. */
  close(): void;
}

/** Throws when the kernel can't or may not: ask `uringAvailable` first. */
export function uringWorld(): UringWorld {
  const loop = new UringLoop();
  const connector = new Connector(loop);
  return {
    streams: {
      listen: (socket, options, accepted) => new UringListener(loop, socket, options, accepted),
      connect: (options, handler) => connector.connect(options, handler),
    },
    clock: loop.clock,
    pending: () => loop.targetCount,
    loop,
    close: () => loop.close(),
  };
}

/** Places for addresses of connect entries. The kernel copies an address when its entry is handed over: far fewer wait for that. */
const placesMax = 4096;

class Connector {
  readonly #loop: UringLoop;
  /** The kernel's form by address object: a plan's are frozen, and connected to again and again. */
  readonly #known = new WeakMap<SocketAddress, Uint8Array>();
  readonly #places: { readonly address: number; readonly bytes: Uint8Array };
  #placesUsed = 0;

  constructor(loop: UringLoop) {
    this.#loop = loop;
    const places = mapBytes(placesMax * sockaddrBytesMax, -1, 0);
    if (places === undefined) throw new Error('no memory for addresses');
    this.#places = places;
  }

  connect(options: ConnectOptions, handler: StreamHandler): Stream {
    const { to, from } = options;
    const c = libc()!;
    const family = to.family === 'unix' ? linux.AF_UNIX : to.family === 'ipv4' ? linux.AF_INET : linux.AF_INET6;
    const fd = c.socket(family, linux.SOCK_STREAM | linux.SOCK_CLOEXEC, 0);
    const failed = fd < 0 ? errorName(errno()) : undefined;
    const stream = new UringStream(this.#loop, fd, family, 'connecting');
    stream.handler = handler;
    if (failed !== undefined) {
      stream.fail(streamError(failed));
      return stream;
    }
    if (family !== linux.AF_UNIX) {
      setOn(fd, linux.IPPROTO_TCP, linux.TCP_NODELAY);
      if (options.keepAlive) setOn(fd, linux.SOL_SOCKET, linux.SO_KEEPALIVE);
    }
    if (from !== undefined && from.family !== 'unix') {
      const local = encodeSockaddr(from);
      if (from.port === 0) setOn(fd, linux.IPPROTO_IP, ipBindAddressNoPort);
      if (local === undefined || c.bind(fd, local, local.length) < 0) {
        stream.fail(local === undefined ? 'other' : streamError(errorName(errno())));
        return stream;
      }
    }
    const sockaddr = this.#known.get(to) ?? encodeSockaddr(to);
    if (sockaddr === undefined) {
      stream.fail('other');
      return stream;
    }
    this.#known.set(to, sockaddr);
    const place = (this.#placesUsed++ % placesMax) * sockaddrBytesMax;
    this.#places.bytes.set(sockaddr, place);
    stream.connect(this.#places.address + place, sockaddr.length);
    return stream;
  }
}

/** The local port is chosen at connect, when both ends are known: a source address then has 28,000 ports for each server. */
const ipBindAddressNoPort = 24;
