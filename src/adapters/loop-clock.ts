/**
 * The Clock port on one timer of libuv, for a process that mostly waits: waking up is what costs it, and Node's own timers (a list for each
 * duration, a queue of lists, the hooks around a callback) are half of that. The timer rings at or after its time and never early.
 */
import koffi from 'koffi';
import type { Alarm, Clock } from '../engine/ports/time.ts';
import { realClock } from './clock.ts';
import { libc } from './libc.ts';
import { loopCall } from './loop-call.ts';

interface LoopTimer {
  /** Rings once when the loop's time (whole milliseconds) is `at`; an earlier request is void. */
  set(at: number): void;
  stop(): void;
  /** The loop's time less `realClock`'s. */
  readonly offsetMs: number;
}

const handleBytes = 512; // sizeof(uv_timer_t) is 152 on 64-bit machines
/** Longer waits are set again on the way. */
const waitMsMax = 2 ** 31;

let shared: Clock | undefined;

/** The main thread's. Where libuv can't be called, alarms are Node's timers. */
export function loopClock(): Clock {
  shared ??= libc() === undefined ? realClock : (LoopClock.open() ?? realClock);
  return shared;
}

class LoopClock implements Clock {
  readonly now = realClock.now;
  readonly wall = realClock.wall;
  readonly #set = new Set<LoopAlarm>();
  readonly #timer: LoopTimer;
  #armedFor = Infinity;
  #ringing = false;

  static open(): LoopClock | undefined {
    let clock: LoopClock | undefined;
    const timer = openTimer(() => clock!.#ring());
    if (timer !== undefined) clock = new LoopClock(timer);
    return clock;
  }

  private constructor(timer: LoopTimer) {
    this.#timer = timer;
  }

  alarm(ring: () => void): Alarm {
    return new LoopAlarm(ring, this);
  }

  change(alarm: LoopAlarm): void {
    if (alarm.atMs === Infinity) this.#set.delete(alarm);
    else this.#set.add(alarm);
    if (!this.#ringing) this.#arm();
  }

  #arm(): void {
    let earliest = Infinity;
    for (const { atMs } of this.#set) if (atMs < earliest) earliest = atMs;
    if (earliest === this.#armedFor) return;
    this.#armedFor = earliest;
    if (earliest === Infinity) this.#timer.stop();
    else this.#timer.set(Math.ceil(earliest + this.#timer.offsetMs));
  }

  #ring(): void {
    this.#ringing = true;
    this.#armedFor = Infinity;
    try {
      const now = this.now();
      // One that is set again to a time that has passed waits for the next turn.
      for (const alarm of this.#due(now)) if (alarm.atMs <= now) alarm.ring();
    } finally {
      this.#ringing = false;
      this.#arm();
    }
  }

  #due(now: number): readonly LoopAlarm[] {
    const due: LoopAlarm[] = [];
    for (const alarm of this.#set) if (alarm.atMs <= now) due.push(alarm);
    return due.length < 2 ? due : due.sort((a, b) => a.atMs - b.atMs);
  }
}

class LoopAlarm implements Alarm {
  atMs = Infinity;
  readonly #ring: () => void;
  readonly #clock: LoopClock;

  constructor(ring: () => void, clock: LoopClock) {
    this.#ring = ring;
    this.#clock = clock;
  }

  set(atMs: number): void {
    this.atMs = atMs;
    this.#clock.change(this);
  }

  clear(): void {
    this.set(Infinity);
  }

  ring(): void {
    this.clear();
    this.#ring();
  }
}

function openTimer(ring: () => void): LoopTimer | undefined {
  try {
    const node = koffi.load(null);
    const callback = koffi.pointer(koffi.proto('void evergate_uv_timer(uintptr_t handle)'));
    const loop: number = node.func('uintptr_t uv_default_loop()')();
    const hrtime = node.func('uint64_t uv_hrtime()') as () => number | bigint;
    const loopNow = node.func('uint64_t uv_now(uintptr_t loop)') as (loop: number) => number;
    const start = node.func('int uv_timer_start(void *handle, void *callback, uint64_t ms, uint64_t again)');
    const stop = node.func('int uv_timer_stop(void *handle)');
    const handle = koffi.alloc('uint8_t', handleBytes);
    if (node.func('int uv_timer_init(uintptr_t loop, void *handle)')(loop, handle) < 0) return undefined;
    const rung = koffi.register(loopCall(ring), callback);
    const before = realClock.now();
    const offsetMs = Number(hrtime()) / 1e6 - before;
    return {
      offsetMs,
      set: (at) => start(handle, rung, Math.min(Math.max(at - loopNow(loop), 0), waitMsMax), 0),
      stop: () => stop(handle),
    };
  } catch {
    return undefined;
  }
}
