import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Link, Links, LinkWatcher } from '../ports/links.ts';
import type { Clock } from '../ports/time.ts';
import { SettledLinks } from './settled-links.ts';

/** Two interfaces and a clock that a test moves. */
function world(downMs: number, upMs: number) {
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
  const links = {
    links: () => [...state.values()],
    link: (name: string) => state.get(name),
    watch: (given: LinkWatcher) => {
      watcher = given;
    },
  } as unknown as Links;
  const set = (name: string, running: boolean) => {
    const link = { index: 2, name, up: true, running, multicast: true, hardwareAddress: new Uint8Array(6), mtu: 1500 };
    state.set(name, link);
    watcher?.linkChanged(link);
  };
  set('eth0', true);
  set('eth1', true);
  const settled = new SettledLinks(links, clock);
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
  return { settled, set, remove, pass, told };
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
