/**
 * LogSink: gathers finished lines and ships them in batches, so that a line costs the request a copy and nothing else.
 *
 * Each destination (a UDP address, a datagram socket's path, stdout, stderr) is opened once, however many targets name it. Its
 * batch leaves at the end of the event loop's turn, or when it is full. Nobody waits for a log server: what can't be sent at once
 * is dropped and counted, as HAProxy does (its DroppedLogs).
 */

import type { LogSink } from '../engine/ports.ts';
import type { LogTarget } from '../plan/balancer.ts';
import { libc } from './libc.ts';
import { DatagramDestination } from './syslog-datagram.ts';
import { DescriptorDestination } from './syslog-descriptor.ts';
import { PortableDescriptorDestination, PortableUdpDestination } from './syslog-portable.ts';

/** Where lines go. Neither method blocks or throws. */
export interface LogDestination {
  /** Takes a copy of the line. Returns true when the batch is full and must be flushed before the next line. */
  add(buffer: Uint8Array, start: number, end: number): boolean;
  flush(): void;
  close(): void;
  readonly droppedLines: number;
}

export class SyslogSink implements LogSink {
  readonly #byTarget: readonly LogDestination[];
  readonly #destinations: readonly LogDestination[];
  #scheduled = false;
  readonly #flushAtEndOfTurn = () => {
    this.#scheduled = false;
    this.flush();
  };

  /** @param destinations one for each log target; the same object may stand several times. */
  constructor(destinations: readonly LogDestination[]) {
    this.#byTarget = destinations;
    this.#destinations = [...new Set(destinations)];
  }

  send(target: number, buffer: Uint8Array, start: number, end: number): void {
    const destination = this.#byTarget[target];
    if (destination.add(buffer, start, end)) destination.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(this.#flushAtEndOfTurn);
  }

  /** Ships everything gathered, now. An event loop of its own (io_uring) calls it before it sleeps. */
  flush(): void {
    for (const destination of this.#destinations) destination.flush();
  }

  /** Lines dropped since the start, all destinations. */
  get droppedLines(): number {
    return this.#destinations.reduce((sum, destination) => sum + destination.droppedLines, 0);
  }

  /** Ships what is left and closes the sockets. */
  close(): void {
    this.flush();
    for (const destination of this.#destinations) destination.close();
  }
}

/** A sink for the plan's log targets. */
export function createLogSink(targets: readonly Pick<LogTarget, 'to'>[]): SyslogSink {
  const open = new Map<string, LogDestination>();
  return new SyslogSink(
    targets.map(({ to }) => {
      const key = JSON.stringify(to);
      const destination = open.get(key) ?? createDestination(to);
      open.set(key, destination);
      return destination;
    }),
  );
}

function createDestination(to: LogTarget['to']): LogDestination {
  const c = libc();
  if (to.kind === 'fd')
    return c === undefined ? new PortableDescriptorDestination(to.fd) : new DescriptorDestination(c, to.fd);
  const address = to.kind === 'udp' ? to.address : ({ family: 'unix', path: to.path } as const);
  return c === undefined ? new PortableUdpDestination(address) : new DatagramDestination(c, address);
}
