/**
 * The event loop of a thread that lives on io_uring.
 *
 * A turn hands over what was gathered, waits inside `io_uring_enter`, and tells everyone what completed. Node's own loop must live
 * too: messages between threads, timers, signals, sockets of other modules. So the ring also watches libuv's epoll descriptor, and
 * before each wait asks libuv how long it may be (`uv_backend_timeout`). When libuv has something to do, the turn posts itself a
 * message and returns; libuv runs once, and its last event is that message. Nothing of Node is lost or polled for, and while only
 * streams are busy libuv costs one function call a turn.
 */
// Imported, though it is a global: a global is looked up anew for each use.
import { performance } from 'node:perf_hooks';
import { MessageChannel } from 'node:worker_threads';
import type { Alarm, Clock } from '../../engine/ports/time.ts';
import { type UvLoop, uvLoop } from '../libc.ts';
import { kind, kindBits, kindMask, op, pollFor } from './abi.ts';
import { EventRate } from './event-rate.ts';
import { SendSlots } from './memory.ts';
import { Pipes } from './pipes.ts';
import { ReceiveBuffers } from './receive-buffers.ts';
import { Ring } from './ring.ts';

/** Someone whose entries complete: a stream or a listener. */
export interface Target {
  generation: number;
  completed(kind: number, result: number, flags: number): void;
}

/** Someone with something to do before the next wait. Both are called at most once for each time they were asked for. */
export interface Gatherer {
  /** Push what was gathered to the ring. Calls no handler. */
  gather(): void;
}
export interface Teller {
  /** Tell the handler what could not be told from inside its own call. */
  tell(): void;
}

/** Node's microtasks and next ticks run only between turns; under constant load a turn ends after this time at the latest. */
const turnMsMax = 50;

export class UringLoop {
  readonly ring: Ring;
  readonly buffers: ReceiveBuffers;
  readonly slots = new SendSlots();
  readonly pipes = new Pipes();
  readonly #uv: UvLoop;
  readonly #channel = new MessageChannel();
  readonly #targets: (Target | undefined)[] = [];
  readonly #freeTargets: number[] = [];
  #generation = 1;
  readonly #gatherers = new Row<Gatherer>();
  readonly #tellers = new Row<Teller>();
  readonly #alarms: LoopAlarm[] = [];
  #nextAlarmMs = Infinity;
  #now = performance.now();
  readonly #rate = new EventRate(this.#now);
  /**
   * The same for those who ask the clock, and the wall's time once somebody asked. These fields are made with something that is no number,
   * so that V8 keeps numbers in them as objects, one a turn; from a field of numbers each answer would be an object of its own.
   */
  readonly #moment: { now: number | undefined; wall: number | undefined } = { now: undefined, wall: undefined };
  #uvReady = false;
  #uvWatched = false;
  /** Number of the turn, and so of the watches that are made in it. */
  #watch = 0;
  #closed = false;

  /** Throws when the ring can't be had: ask `uringAvailable` first. */
  constructor() {
    const uv = uvLoop();
    if (uv === undefined) throw new Error("Node's event loop cannot be reached");
    this.#uv = uv;
    this.#look();
    this.ring = new Ring();
    this.buffers = new ReceiveBuffers(this.ring, this.clock);
    this.#channel.port1.on('message', () => this.#turn());
    this.#again();
  }

  // ------------------------------------------------------------ for streams and listeners

  /** A number for entries of `target`, until `leave`. */
  join(target: Target): number {
    target.generation = this.#generation;
    this.#generation = (this.#generation + 1) >>> 0;
    const free = this.#freeTargets.pop();
    if (free !== undefined) {
      this.#targets[free] = target;
      return free;
    }
    return this.#targets.push(target) - 1;
  }

  /** Only when none of its entries is under way. */
  leave(index: number): void {
    this.#targets[index] = undefined;
    this.#freeTargets.push(index);
  }

  gatherLater(who: Gatherer): void {
    this.#gatherers.push(who);
  }

  tellLater(who: Teller): void {
    this.#tellers.push(who);
  }

  /** Streams and listeners that still have a number. */
  get targetCount(): number {
    return this.#targets.length - this.#freeTargets.length;
  }

  // ------------------------------------------------------------ the clock of this loop

  /** Time as of the last completions; alarms ring between waits. */
  readonly clock: Clock = {
    now: () => this.#moment.now!,
    wall: () => (this.#moment.wall ??= Date.now()),
    alarm: (ring) => new LoopAlarm(this, ring),
  };

  alarmSet(alarm: LoopAlarm, isNew: boolean): void {
    if (isNew) this.#alarms.push(alarm);
    if (alarm.atMs < this.#nextAlarmMs) this.#nextAlarmMs = alarm.atMs;
  }

  alarmCleared(alarm: LoopAlarm): void {
    const last = this.#alarms.pop();
    if (last !== undefined && last !== alarm) this.#alarms[this.#alarms.indexOf(alarm)] = last;
  }

  #look(): void {
    this.#now = performance.now();
    this.#moment.now = this.#now;
    this.#moment.wall = undefined;
  }

  #ringAlarms(): void {
    // After a long turn many may be due; they ring as if there had been none.
    const due = this.#alarms.filter((alarm) => alarm.atMs <= this.#now).sort((a, b) => a.atMs - b.atMs);
    for (const alarm of due) {
      // One that rang before may have put this one off.
      if (alarm.atMs > this.#now) continue;
      alarm.clear();
      alarm.ring();
    }
    this.#nextAlarmMs = Infinity;
    for (const alarm of this.#alarms) if (alarm.atMs < this.#nextAlarmMs) this.#nextAlarmMs = alarm.atMs;
  }

  // ------------------------------------------------------------ turning

  /** Ends the loop. Streams and listeners must be gone; the kernel cancels what they left. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#channel.port1.close();
    this.ring.close();
    this.buffers.dispose();
    this.slots.dispose();
    this.pipes.dispose();
  }

  /** A message posted from its own listener would be delivered before libuv runs: the immediate lets it run first. */
  #again(): void {
    setImmediate(this.#post);
  }

  readonly #post = (): void => this.#channel.port2.postMessage(0);

  #turn(): void {
    if (this.#closed) return;
    // libuv has just run: what the ring tells of a watch from before, woken by our own message, is no news.
    this.#uvReady = false;
    this.#watch = (this.#watch + 1) >>> 0;
    const latest = performance.now() + turnMsMax;
    let didSomething = false;
    for (;;) {
      this.#look();
      if (this.#now >= this.#nextAlarmMs) {
        this.#ringAlarms();
        didSomething = true;
      }
      this.#settle();
      if (this.#closed) return;
      this.buffers.publish();
      const uvMs = this.#uv.backendTimeout();
      const yields = this.#uvReady || uvMs === 0 || (didSomething && this.#now >= latest);
      let waitMs = yields ? 0 : uvMs < 0 ? Infinity : uvMs;
      if (waitMs > 0) {
        waitMs = Math.min(waitMs, Math.max(this.#nextAlarmMs - this.#now, 0));
        if (didSomething) waitMs = Math.min(waitMs, latest - this.#now);
        if (!this.#uvWatched) this.#watchUv();
      }
      this.ring.submitAndWait(waitMs, this.#rate.perMs);
      this.#look();
      const events = this.ring.take(this.#completed);
      this.#rate.count(events, this.#now);
      if (events > 0) didSomething = true;
      if (yields) break;
    }
    this.#settle();
    if (!this.#closed) {
      this.ring.submit();
      this.#again();
    }
  }

  /** Everything that the last calls left to be done, until nothing is left. */
  #settle(): void {
    while (this.#tellers.waiting || this.#gatherers.waiting) {
      for (let one = this.#tellers.take(); one !== undefined; one = this.#tellers.take()) one.tell();
      for (let one = this.#gatherers.take(); one !== undefined; one = this.#gatherers.take()) one.gather();
    }
  }

  #watchUv(): void {
    this.#uvWatched = true;
    const index = this.ring.push(op.POLL_ADD, this.#uv.backendFd, kind.libuv, this.#watch);
    this.ring.entries[index * 16 + 7] = pollFor.input;
  }

  readonly #completed = (target: number, generation: number, result: number, flags: number): void => {
    const what = target & kindMask;
    if (what === kind.libuv) {
      this.#uvWatched = false;
      if (generation === this.#watch) this.#uvReady = true;
      return;
    }
    if (what === kind.ignored) return;
    const owner = this.#targets[target >>> kindBits];
    // A completion outlives nobody: targets leave only when all of theirs have come. Should one, it must not reach a stranger.
    if (owner === undefined || owner.generation !== generation) return;
    owner.completed(what, result, flags);
  };
}

/** Those who wait for their turn, first come, first served. Its array is used again and again: a turn costs no memory. */
class Row<T> {
  readonly #items: (T | undefined)[] = [];
  #next = 0;
  #end = 0;

  get waiting(): boolean {
    return this.#next < this.#end;
  }

  push(item: T): void {
    this.#items[this.#end++] = item;
  }

  take(): T | undefined {
    if (this.#next === this.#end) {
      this.#next = this.#end = 0;
      return undefined;
    }
    const item = this.#items[this.#next];
    this.#items[this.#next++] = undefined;
    return item;
  }
}

class LoopAlarm implements Alarm {
  readonly #loop: UringLoop;
  readonly ring: () => void;
  /** Infinity: not set, and not in the loop's list. */
  atMs = Infinity;

  constructor(loop: UringLoop, ring: () => void) {
    this.#loop = loop;
    this.ring = ring;
  }

  set(atMs: number): void {
    const isNew = this.atMs === Infinity;
    this.atMs = atMs;
    this.#loop.alarmSet(this, isNew);
  }

  clear(): void {
    if (this.atMs === Infinity) return;
    this.atMs = Infinity;
    this.#loop.alarmCleared(this);
  }
}
