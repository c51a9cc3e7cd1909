/** When the daemon must wake next, and what it does first when it does: everything that has arrived is heard before any timer is believed. */
import type { Packets } from '../ports/packets.ts';
import type { Alarm, Clock } from '../ports/time.ts';
import type { BfdSessions } from './bfd-sessions.ts';

/** All that waits for a time, but for BFD. */
export interface TimetableWork {
  /** The earliest deadline; Infinity: none. */
  deadline(): number;
  /** Does what is due, and calls `plan`. */
  timer(now: number): void;
}

/** What has deadlines of its own, and wakes this process most often. */
export type TimetableBfd = Pick<BfdSessions, 'deadline' | 'judgesAt' | 'receiveWaiting' | 'timer'>;

export class Timetable {
  readonly #clock: Clock;
  readonly #packets: Packets;
  readonly #bfd: TimetableBfd | undefined;
  readonly #work: TimetableWork;
  readonly #alarm: Alarm;
  /** When the alarm should ring: how late it did is what this process knows of its own lateness. */
  #alarmAt = Infinity;
  #workAt = Infinity;

  constructor(clock: Clock, packets: Packets, bfd: TimetableBfd | undefined, work: TimetableWork) {
    this.#clock = clock;
    this.#packets = packets;
    this.#bfd = bfd;
    this.#work = work;
    this.#alarm = clock.alarm(() => this.#due());
  }

  /** Deadlines may have moved. */
  plan(): void {
    this.#workAt = this.#work.deadline();
    this.#arm();
  }

  /** BFD's may have. One that moved on is seen when the alarm rings for the one before: setting it forty times a second would cost more. */
  planBfd(): void {
    if ((this.#bfd?.deadline() ?? Infinity) < this.#alarmAt) this.#arm();
  }

  /** As if the alarm had rung for a deadline of the work. */
  dueNow(): void {
    this.#workAt = this.#clock.now();
    this.#due();
  }

  clear(): void {
    this.#alarm.clear();
  }

  #due(): void {
    const dueAt = this.#alarmAt;
    const now = this.#clock.now();
    // What wakes this process most often is BFD: a packet to be sent, or a neighbour that did say something in time. Nothing else moves then.
    if (this.#bfd !== undefined && this.#workAt > now) {
      if (this.#bfd.judgesAt <= now) this.#bfd.receiveWaiting();
      if (this.#bfd.judgesAt > now) {
        this.#bfd.timer(dueAt);
        this.#arm();
        return;
      }
    }
    // A late process must not take over from a router that just spoke.
    this.#packets.receiveWaiting();
    this.#bfd?.receiveWaiting();
    this.#bfd?.timer(dueAt);
    this.#work.timer(this.#clock.now());
  }

  #arm(): void {
    const earliest = Math.min(this.#workAt, this.#bfd?.deadline() ?? Infinity);
    if (earliest === Infinity) this.#alarm.clear();
    else this.#alarm.set(earliest);
    // What was over before anybody planned it is not late; what the alarm before was for, and has not rung yet, is.
    this.#alarmAt = Math.max(earliest, Math.min(this.#alarmAt, this.#clock.now()));
  }
}
