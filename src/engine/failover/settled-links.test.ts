import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Link, Links, LinkWatcher } from '../ports/links.ts';
import type { Journal } from '../ports/logs.ts';
import type { Clock } from '../ports/time.ts';
import { SettledLinks } from './settled-links.ts';

/** Two interfaces and a clock that a test moves. */
function world(downMs: number, upMs: number, failure?: string) {
  let now = 0;
  const alarms = new Set<{ at: number; ring: () => void }>();
  const clock: Clock = {
    now: () => now,
    wall: () => now,
    alarm: (ring) => {
      const alarm = { at: Infinity, ring };
      alarms.add(alarm);
      return {
        set: (at) => {
          alarm.at = at;
        },
        clear: () => {
          alarm.at = Infinity;
        },
      };
    },
  };
  const state = new Map<string, Link>();
  let watcher: LinkWatcher | undefined;
  const asked: number[] = [];
  const log: string[] = [];
  const links = {
    links: () => [...state.values()],
    link: (name: string) => state.get(name),
    watch: (given: LinkWatcher) => {
      watcher = given;
    },
    askNeighbours: (index: number) => {
      asked.push(index);
      return failure;
    },
  } as unknown as Links;
  const set = (name: string, running: boolean) => {
    const index = name === 'eth0' ? 2 : 3;
    const link = { index, name, up: true, running, multicast: true, hardwareAddress: new Uint8Array(6), mtu: 1500 };
    state.set(name, link);
    watcher?.linkChanged(link);
  };
  set('eth0', true);
  set('eth1', true);
  const journal: Journal = { log: (_severity, message) => log.push(message), detail: () => {} };
  const settled = new SettledLinks(links, clock, journal);
  settled.configure([{ interface: 'eth0', downMs, upMs }]);
  const told: string[] = [];
  settled.watch({
    linkChanged: ({ name, running }) => told.push(`${name} ${running}`),
    linkRemoved: ({ name }) => told.push(`${name} gone`),
    addressAdded: () => {},
    addressRemoved: () => {},
    routeRemoved: () => {},
    ruleRemoved: () => {},
  });
  const pass = (ms: number) => {
    now += ms;
    for (const alarm of alarms)
      if (alarm.at <= now) {
        alarm.at = Infinity;
        alarm.ring();
      }
  };
  const remove = (name: string) => {
    const link = state.get(name)!;
    state.delete(name);
    watcher?.linkRemoved(link);
  };
  return { settled, set, remove, pass, told, asked, log };
}

const running = (settled: SettledLinks) => settled.link('eth0')?.running;

test('an interface that comes back within its delay never went', () => {
  const { settled, set, pass, told } = world(500, 300);
  set('eth0', false);
  assert.equal(running(settled), true);
  pass(499);
  set('eth0', true);
  pass(10_000);
  assert.equal(running(settled), true);
  assert.ok(!told.includes('eth0 false'), told.join());
});

test('one that stays down counts as down after its delay, and as up after the other', () => {
  const { settled, set, pass, told } = world(500, 300);
  set('eth0', false);
  pass(500);
  assert.equal(running(settled), false);
  assert.equal(told.at(-1), 'eth0 false');
  set('eth0', true);
  assert.equal(running(settled), false);
  pass(299);
  assert.equal(running(settled), false);
  pass(1);
  assert.equal(running(settled), true);
  assert.equal(settled.links().find(({ name }) => name === 'eth0')?.running, true);
});

test('a bounce while it settles does not prolong the wait, and no delay is no wait', () => {
  const { settled, set, pass } = world(500, 0);
  set('eth0', false);
  pass(400);
  set('eth0', false);
  pass(100);
  assert.equal(running(settled), false);
  set('eth0', true);
  assert.equal(running(settled), true);
});

test('other interfaces are seen as they are; a removed one at once', () => {
  const { settled, set, remove, told } = world(500, 300);
  set('eth1', false);
  assert.equal(settled.link('eth1')?.running, false);
  remove('eth0');
  assert.equal(settled.link('eth0'), undefined);
  assert.deepEqual(told, ['eth1 false', 'eth0 gone']);
  set('eth0', false);
  assert.equal(running(settled), false, 'what appears counts at once');
});

test('a reload without the word shows what is', () => {
  const { settled, set, told } = world(500, 300);
  set('eth0', false);
  settled.configure([]);
  assert.equal(running(settled), false);
  assert.equal(told.at(-1), 'eth0 false');
});

test('neighbours are asked for when a link returns, whatever its delay, and not when something else changes', () => {
  const { set, asked } = world(500, 300);
  set('eth0', true);
  set('eth1', true);
  assert.deepEqual(asked, [], 'they ran before');
  set('eth0', false);
  assert.deepEqual(asked, []);
  set('eth0', true);
  assert.deepEqual(asked, [2], 'for the routers it never went');
  set('eth0', true);
  assert.deepEqual(asked, [2]);
});

test('neighbours are asked for when an interface was made again', () => {
  const { set, remove, asked } = world(0, 0);
  remove('eth1');
  set('eth1', true);
  assert.deepEqual(asked, [3]);
});

test('that they cannot be asked for is said once', () => {
  const { set, log } = world(0, 0, 'EPERM');
  for (const running of [false, true, false, true]) set('eth1', running);
  assert.equal(log.length, 1);
  assert.match(log[0]!, /^eth1: hardware addresses cannot be asked for anew \(EPERM\)/);
});
