/**
 * How many processes match, kept fresh: by the kernel's process events where they can be had (netlink connector, as Keepalived does it),
 * otherwise by looking. The connector answers only in the machine's first network and process namespace; inside others the known
 * processes are asked twenty times a second (one small read each) and new ones are looked for once a second.
 */
import type { ProcessMatch } from '../engine/ports/scripts.ts';
import { viewOf } from './netlink-message.ts';
import { NetlinkEvents } from './netlink-socket.ts';
import { findProcesses, type Matcher, processMatcher } from './process-match.ts';

const NETLINK_CONNECTOR = 11;
const CN_IDX_PROC = 1;
const PROC_CN_MCAST_LISTEN = 1;
/** struct proc_event's `what`. */
const event = { none: 0, fork: 0x1, exec: 0x2, comm: 0x200, exit: 0x80000000 } as const;

const knownLookMs = 50;
const allLookMs = 1_000;

interface Watched {
  readonly matches: Matcher;
  readonly changed: (count: number) => void;
  readonly pids: Set<number>;
  told: number | undefined;
}

export class ProcessWatch {
  readonly #watched = new Set<Watched>();
  #events: NetlinkEvents | undefined;
  #eventsWork = false;
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = 0;

  add(match: ProcessMatch, changed: (count: number) => void): { close(): void } {
    const watched: Watched = { matches: processMatcher(match), changed, pids: new Set(), told: undefined };
    this.#watched.add(watched);
    if (this.#timer === undefined) this.#start();
    setImmediate(() => {
      if (this.#watched.has(watched)) lookAtAll(watched);
    });
    return {
      close: () => {
        this.#watched.delete(watched);
        if (this.#watched.size === 0) this.close();
      },
    };
  }

  close(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#events?.close();
    this.#events = undefined;
    this.#eventsWork = false;
  }

  #start(): void {
    try {
      this.#events = new NetlinkEvents(
        NETLINK_CONNECTOR,
        CN_IDX_PROC,
        (message) => this.#processEvent(message.body),
        () => this.#lookAtAll(),
      );
      this.#events.send(listenMessage());
    } catch {
      // Not here: looking has to do.
    }
    this.#timer = setInterval(() => this.#look(), knownLookMs);
    this.#timer.unref();
  }

  #look(): void {
    const now = performance.now();
    // With events this is only the safety net.
    if (now - this.#lookedAt >= allLookMs * (this.#eventsWork ? 10 : 1)) {
      this.#lookedAt = now;
      this.#lookAtAll();
    } else if (!this.#eventsWork)
      for (const watched of this.#watched) for (const pid of [...watched.pids]) lookAt(watched, pid);
  }

  #lookAtAll(): void {
    for (const watched of this.#watched) lookAtAll(watched);
  }

  /** struct cn_msg (20 bytes) and struct proc_event behind it (linux/cn_proc.h). */
  #processEvent(body: Uint8Array): void {
    if (body.length < 20 + 24) return;
    const view = viewOf(body);
    const what = view.getUint32(20, true);
    const first = view.getUint32(36, true);
    const group = view.getUint32(40, true);
    if (what === event.none) this.#eventsWork = first === 0;
    else if (what === event.exit && first === group) this.#ended(group);
    else if (what === event.exec || what === event.comm) this.#changed(group);
    else if (what === event.fork && body.length >= 52) this.#changed(view.getUint32(48, true));
  }

  #changed(pid: number): void {
    for (const watched of this.#watched) lookAt(watched, pid);
  }

  /** /proc may still show the process as it was: the event knows better. */
  #ended(pid: number): void {
    for (const watched of this.#watched) if (watched.pids.delete(pid)) tell(watched);
  }
}

function lookAtAll(watched: Watched): void {
  const found = new Set(findProcesses(watched.matches));
  watched.pids.clear();
  for (const pid of found) watched.pids.add(pid);
  tell(watched);
}

function lookAt(watched: Watched, pid: number): void {
  if (watched.matches(pid)) watched.pids.add(pid);
  else watched.pids.delete(pid);
  tell(watched);
}

function tell(watched: Watched): void {
  if (watched.told === watched.pids.size) return;
  watched.told = watched.pids.size;
  watched.changed(watched.told);
}

function listenMessage(): Uint8Array {
  const bytes = new Uint8Array(40);
  const view = viewOf(bytes);
  view.setUint32(0, bytes.length, true);
  view.setUint16(4, 3, true); // NLMSG_DONE
  view.setUint32(12, 0, true);
  view.setUint32(16, CN_IDX_PROC, true);
  view.setUint32(20, 1, true); // CN_VAL_PROC
  view.setUint16(32, 4, true);
  view.setUint32(36, PROC_CN_MCAST_LISTEN, true);
  return bytes;
}
