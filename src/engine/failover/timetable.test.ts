/** How late the process is, as the alarm tells: what others are asked to bear with. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Packets } from '../ports/packets.ts';
import type { Alarm, Clock } from '../ports/time.ts';
import { Timetable } from './timetable.ts';

/** An alarm that rings when the test says so. */
class World implements Clock {
  time = 0;
  ring: () => void = () => {};
  bfdDeadline = Infinity;
  workDeadline = Infinity;
  readonly late: number[] = [];
  readonly timetable: Timetable;

  constructor() {
    const world = this;
    const bfd = {
      deadline: () => this.bfdDeadline,
      get judgesAt() {
        return world.bfdDeadline;
      },
      receiveWaiting: () => {},
      timer: (dueAt: number) => {
        this.late.push(Math.max(0, this.time - dueAt));
        this.bfdDeadline = Infinity;
      },
    };
    const work = { deadline: () => this.workDeadline, timer: () => this.timetable.plan() };
    this.timetable = new Timetable(this, { receiveWaiting: () => {} } as Packets, bfd, work);
  }

  now(): number {
    return this.time;
  }
  wall(): number {
    return this.time;
  }
  alarm(ring: () => void): Alarm {
    this.ring = ring;
    return { set: () => {}, clear: () => {} };
  }
}

test('an alarm that rings late tells by how much', () => {
  const world = new World();
  world.bfdDeadline = 50;
  world.timetable.planBfd();
  world.time = 62;
  world.ring();
  assert.deepEqual(world.late, [12]);
});

test('a deadline that was over when it came up is not lateness', () => {
  const world = new World();
  world.time = 1000;
  world.bfdDeadline = 10;
  world.timetable.planBfd();
  world.time = 1001;
  world.ring();
  assert.deepEqual(world.late, [1]);
});

test('work that comes between a late alarm and its ringing hides nothing', () => {
  const world = new World();
  world.bfdDeadline = 50;
  world.timetable.planBfd();
  world.time = 62;
  world.timetable.plan();
  world.ring();
  assert.deepEqual(world.late, [12]);
});

test('nor does a deadline from before show a late process later than its alarm was', () => {
  const world = new World();
  world.bfdDeadline = 50;
  world.timetable.planBfd();
  world.time = 57;
  world.bfdDeadline = 10;
  world.timetable.planBfd();
  world.ring();
  assert.deepEqual(world.late, [7]);
});
