/**
 * LogSink: gathers finished lines and ships them in batches, so that a line costs the request a copy and nothing else.
 *
 * Each destination (a UDP address, a datagram socket's path, stdout, stderr) is opened once, however many targets name it. Its
 * batch leaves when it is full, or soon after its first line. Nobody waits for a log server: what can't be sent at once is dropped
 * and counted, as HAProxy does (its DroppedLogs).
 */

import { writeBytes } from '../core/log/write.ts';
import { type LogPage, type LogSink, lineBytesMax } from '../engine/ports/logs.ts';
import type { Alarm, Clock } from '../engine/ports/time.ts';
import type { LogTarget } from '../plan/balancer.ts';
import { libc } from './libc.ts';
import { DatagramDestination } from './syslog-datagram.ts';
import { DescriptorDestination } from './syslog-descriptor.ts';
import { PortableDescriptorDestination, PortableUdpDestination } from './syslog-portable.ts';

/** How long a line of traffic waits for others to be sent with, in milliseconds: nobody reads faster, and a batch costs one call. */
const logBatchMs = 5;

/** Where lines go. Neither method blocks or throws. */
export interface LogDestination {
  readonly page: LogPage;
  /** The line that begins at the page's end ends here. Returns true when the batch is full and must be flushed before the next. */
  commit(end: number): boolean;
  flush(): void;
  close(): void;
  readonly droppedLines: number;
}

export class SyslogSink implements LogSink {
  readonly #byTarget: readonly LogDestination[];
  readonly #destinations: readonly LogDestination[];
  #scheduled = false;
  readonly #flushScheduled = () => {
    this.#scheduled = false;
    this.flush();
  };
  readonly #clock: Clock | undefined;
  readonly #alarm: Alarm | undefined;

  /**
   * @param destinations one for each log target; the same object may stand several times.
   * @param clock with one, lines wait `logBatchMs` for others: every batch costs a wake-up of the receiver, and on a ring of its own
   *   the end of a turn would cost the thread a turn of Node's loop. Without, they leave at the end of the turn.
   */
  constructor(destinations: readonly LogDestination[], clock?: Clock) {
    this.#byTarget = destinations;
    this.#destinations = [...new Set(destinations)];
    this.#clock = clock;
    this.#alarm = clock?.alarm(this.#flushScheduled);
  }

  page(target: number): LogPage {
    return this.#byTarget[target].page;
  }

  /** A line that stands somewhere else, up to `lineBytesMax` long: copies it. */
  send(target: number, buffer: Uint8Array, start: number, end: number): void {
    const page = this.page(target);
    this.commit(target, writeBytes(page.bytes, page.end, buffer, start, Math.min(end, start + lineBytesMax)));
  }

  commit(target: number, end: number): void {
    const destination = this.#byTarget[target];
    if (destination.commit(end)) destination.flush();
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (this.#alarm === undefined) setImmediate(this.#flushScheduled);
    else this.#alarm.set(this.#clock!.now() + logBatchMs);
  }

  /** Ships everything gathered, now. */
  flush(): void {
    for (const destination of this.#destinations) destination.flush();
  }

  /** Lines dropped since the start, all destinations. */
  get droppedLines(): number {
    return this.#destinations.reduce((sum, destination) => sum + destination.droppedLines, 0);
  }

  /** Ships what is left and closes the sockets. */
  close(): void {
    this.#alarm?.clear();
    this.flush();
    for (const destination of this.#destinations) destination.close();
  }
}

/** A sink for the plan's log targets. */
export function createLogSink(targets: readonly Pick<LogTarget, 'to'>[], clock?: Clock): SyslogSink {
  const open = new Map<string, LogDestination>();
  return new SyslogSink(
    targets.map(({ to }) => {
      const key = JSON.stringify(to);
      const destination = open.get(key) ?? createDestination(to);
      open.set(key, destination);
      return destination;
    }),
    clock,
  );
}

function createDestination(to: LogTarget['to']): LogDestination {
  const c = libc();
  if (to.kind === 'fd')
    return c === undefined ? new PortableDescriptorDestination(to.fd) : new DescriptorDestination(c, to.fd);
  const address = to.kind === 'udp' ? to.address : ({ family: 'unix', path: to.path } as const);
  return c === undefined ? new PortableUdpDestination(address) : new DatagramDestination(c, address);
}
