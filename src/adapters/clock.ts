/** The Clock and Random ports on real time, for threads whose event loop is Node's own. */
import { getRandomValues } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Alarm, Clock, Random } from '../engine/ports/time.ts';

/** Node's timers hold at most 2^31 - 1 ms; a later alarm is set again when this one rings early. */
const timerMsMax = 2_147_483_647;

/** Reads the time on each call (60 ns): Node tells nobody when a turn of its event loop begins, so nothing could be cached safely. */
export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  alarm: (ring) => new TimerAlarm(ring),
};

class TimerAlarm implements Alarm {
  readonly #ring: () => void;
  #timer: NodeJS.Timeout | undefined;
  #atMs = Infinity;

  constructor(ring: () => void) {
    this.#ring = ring;
  }

  set(atMs: number): void {
    clearTimeout(this.#timer);
    this.#atMs = atMs;
    this.#start();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#atMs = Infinity;
  }

  #start(): void {
    const waitMs = Math.min(Math.max(Math.ceil(this.#atMs - performance.now()), 1), timerMsMax);
    this.#timer = setTimeout(TimerAlarm.#fired, waitMs, this);
  }

  static #fired(this: void, alarm: TimerAlarm): void {
    // Node may ring up to a millisecond early (its loop time is rounded): the port promises "at or after".
    if (performance.now() < alarm.#atMs) {
      alarm.#start();
      return;
    }
    alarm.#timer = undefined;
    alarm.#atMs = Infinity;
    alarm.#ring();
  }
}

/** Chance from the system's generator, drawn a kibibyte at a time: a call costs nanoseconds. */
export function systemRandom(): Random {
  const drawn = new Uint32Array(256);
  let next = drawn.length;
  return {
    uint32() {
      if (next === drawn.length) {
        getRandomValues(drawn);
        next = 0;
      }
      return drawn[next++]!;
    },
  };
}
