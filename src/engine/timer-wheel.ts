/**
 * All the long timeouts of one worker: two wheels of 1024 slots, of 1 ms and of 1024 ms. A timer is a part of its owner and is
 * linked into a slot, so arming costs neither memory nor a search. Moving a deadline to a later time (which happens with every
 * byte) only writes a number: when the old slot comes up, the timer is put where it belongs by then.
 */
import type { Alarm, Clock } from './ports/time.ts';

export interface TimerOwner {
  /** The timer's deadline has passed; it is disarmed when this is called. */
  expired(timer: Timer): void;
}

export class Timer {
  readonly owner: TimerOwner;
  /** Monotonic milliseconds; Infinity = not armed. */
  deadline = Number.POSITIVE_INFINITY;
  /** Slot number, level 1 slots behind those of level 0; -1 = not linked. */
  slot = -1;
  /** Tick at which the slot comes up. */
  due = 0;
  next: Timer | undefined;
  previous: Timer | undefined;

  constructor(owner: TimerOwner) {
    this.owner = owner;
  }
}

const slots = 1024;
const mask = slots - 1;
/** Farther deadlines are looked at again after this time. */
const ticksMax = slots * mask;

export class TimerWheel {
  readonly #clock: Clock;
  readonly #alarm: Alarm;
  #alarmAt = Number.POSITIVE_INFINITY;
  readonly #heads: (Timer | undefined)[] = new Array(slots * 2).fill(undefined);
  readonly #occupied = new Uint32Array((slots * 2) / 32);
  #linked = 0;
  /** Everything up to and including this tick has been looked at. */
  #tick: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#tick = Math.floor(clock.now());
    this.#alarm = clock.alarm(() => this.#ring());
  }

  /** Sets the deadline, earlier or later than before. */
  arm(timer: Timer, atMs: number): void {
    timer.deadline = atMs;
    if (timer.slot >= 0) {
      if (timer.due <= atMs) return;
      this.#unlink(timer);
    }
    this.#insert(timer);
  }

  /** No deadline; the timer stays where it is until its slot comes up, ready to be armed again at no cost. */
  disarm(timer: Timer): void {
    timer.deadline = Number.POSITIVE_INFINITY;
  }

  /** Forgets the timer altogether: its owner ends. */
  remove(timer: Timer): void {
    timer.deadline = Number.POSITIVE_INFINITY;
    if (timer.slot >= 0) this.#unlink(timer);
  }

  #insert(timer: Timer): void {
    if (this.#linked === 0) this.#tick = Math.max(this.#tick, Math.floor(this.#clock.now()));
    const wanted = Math.max(Math.ceil(timer.deadline), this.#tick + 1);
    let slot: number;
    if (wanted - this.#tick < slots) {
      timer.due = wanted;
      slot = wanted & mask;
    } else {
      // Level 1 comes up at the beginning of its 1024 ticks and then hands its timers down.
      timer.due = Math.floor(Math.min(wanted, this.#tick + ticksMax) / slots) * slots;
      slot = slots + ((timer.due / slots) & mask);
    }
    timer.slot = slot;
    timer.previous = undefined;
    timer.next = this.#heads[slot];
    if (timer.next !== undefined) timer.next.previous = timer;
    this.#heads[slot] = timer;
    this.#occupied[slot >> 5]! |= 1 << (slot & 31);
    this.#linked++;
    if (timer.due < this.#alarmAt) this.#setAlarm(timer.due);
  }

  #unlink(timer: Timer): void {
    const { slot, next, previous } = timer;
    if (next !== undefined) next.previous = previous;
    if (previous !== undefined) previous.next = next;
    else {
      this.#heads[slot] = next;
      if (next === undefined) this.#occupied[slot >> 5]! &= ~(1 << (slot & 31));
    }
    timer.next = timer.previous = undefined;
    timer.slot = -1;
    this.#linked--;
  }

  #ring(): void {
    this.#alarmAt = Number.POSITIVE_INFINITY;
    const target = Math.floor(this.#clock.now());
    while (this.#tick < target && this.#linked > 0) {
      const tick = Math.min(this.#nextDue(), target);
      this.#tick = tick;
      // A slot of level 1 first: what it holds may be due in this very tick.
      if ((tick & mask) === 0) this.#empty(slots + ((tick / slots) & mask), tick);
      this.#empty(tick & mask, tick);
    }
    this.#tick = Math.max(this.#tick, target);
    if (this.#linked > 0) {
      const due = this.#nextDue();
      if (due < this.#alarmAt) this.#setAlarm(due);
    }
  }

  /** The first tick after the current one at which an occupied slot comes up. */
  #nextDue(): number {
    const near = this.#distance(0, (this.#tick + 1) & mask) + this.#tick + 1;
    const block = Math.floor(this.#tick / slots) + 1;
    const far = (this.#distance(slots, block & mask) + block) * slots;
    return Math.min(near, far);
  }

  /** Slots from `from` to the next occupied one of a level, going round; Infinity when the level is empty. */
  #distance(base: number, from: number): number {
    const first = base >> 5;
    for (let i = 0; i <= 32; i++) {
      const word = ((from >> 5) + i) & 31;
      let bits = this.#occupied[first + word]!;
      if (i === 0) bits &= -1 << (from & 31);
      else if (i === 32) bits &= ~(-1 << (from & 31));
      if (bits !== 0) return (word * 32 + (31 - Math.clz32(bits & -bits)) - from + slots) & mask;
    }
    return Number.POSITIVE_INFINITY;
  }

  #empty(slot: number, tick: number): void {
    // Owners may arm and remove timers meanwhile, also those of this slot: take one by one from the front.
    let guard = this.#linked;
    for (let timer = this.#heads[slot]; timer !== undefined && guard-- > 0; timer = this.#heads[slot]) {
      this.#unlink(timer);
      if (timer.deadline <= tick) {
        timer.deadline = Number.POSITIVE_INFINITY;
        timer.owner.expired(timer);
      } else if (timer.deadline < Number.POSITIVE_INFINITY) this.#insert(timer);
    }
  }

  #setAlarm(at: number): void {
    this.#alarmAt = at;
    this.#alarm.set(at);
  }
}
