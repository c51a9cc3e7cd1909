/** When open connections are passed on and kept, and for how long: the decisions alone, without a kernel. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { handoff as limits } from '../../core/limits.ts';
import type { VirtualAddress, VirtualRouterSettings } from '../../core/vrrp/settings.ts';
import type { Handoff } from '../ports/handoff.ts';
import type { AddressRequest, Links } from '../ports/links.ts';
import { Holdings } from './holdings.ts';
import { OpenConnections } from './open-connections.ts';

const address = { family: 'ipv4', address: '10.0.0.5', prefix: 24 } as VirtualAddress;
const linkLocal = { family: 'ipv6', address: 'fe80::5', prefix: 64 } as VirtualAddress;
const from = { address: '10.0.0.2', interfaceIndex: 2 };

function world() {
  const it = {
    now: 1_000,
    companion: 'up' as 'up' | 'late' | undefined,
    failure: undefined as string | undefined,
    /** What the kernel was asked for, in order. */
    asked: [] as string[],
    log: [] as string[],
    /** On the loopback interface before. */
    present: [] as string[],
  };
  const handoff: Handoff = {
    passOn: (_router, { addresses }, holder) => {
      it.asked.push(`pass ${addresses.join()} on to ${holder.address}`);
      return it.failure;
    },
    keep: (_router, { addresses }, _own, forGood) => {
      it.asked.push(`keep ${addresses.join()}${forGood ? ' for good' : ''}`);
      return it.failure;
    },
    end: () => it.asked.push('end'),
    close: () => {},
  };
  const change = (word: string) => (request: AddressRequest) => {
    it.asked.push(`${word} ${request.address}/${request.prefix} ${request.interfaceIndex === 1 ? 'lo' : 'eth0'}`);
    return undefined;
  };
  const links = {
    link: (name: string) => ({ index: name === 'lo' ? 1 : 2 }),
    addresses: () => it.present.map((address) => ({ address, interfaceIndex: 1 })),
    addAddress: change('add'),
    removeAddress: change('remove'),
  } as unknown as Links;
  const journal = { log: (_severity: string, message: string) => it.log.push(message), detail: () => {} };
  const clock = { now: () => it.now, wall: () => 0, alarm: () => ({ set: () => {}, clear: () => {} }) };
  const open = new OpenConnections(
    { clock, journal, handoff, companion: () => it.companion },
    new Holdings(links, journal, () => 'VI_1'),
    () => ({ name: 'VI_1', family: 'ipv4' }) as VirtualRouterSettings,
  );
  const takeOver = () => open.takeOver([address, linkLocal], from, () => it.asked.push('add'));
  /** Lets time pass as the driver does, from deadline to deadline. @returns when the last thing was over. */
  const run = () => {
    while (open.deadline() !== Infinity) {
      it.now = open.deadline();
      open.timer(it.now);
    }
    return it.now;
  };
  return { it, open, takeOver, run };
}

test('passed on before the addresses are there, for as long as the limit says', () => {
  const { it, takeOver, run } = world();
  takeOver();
  assert.deepEqual(it.asked, ['pass 10.0.0.5 on to 10.0.0.2', 'add']);
  assert.equal(run(), 1_000 + limits.passOnMs);
  assert.equal(it.asked.at(-1), 'end');
});

test('not to a host without a session, nor to one that is only late; but one that becomes late keeps what it has', () => {
  for (const companion of [undefined, 'late'] as const) {
    const { it, open, takeOver } = world();
    it.companion = companion;
    takeOver();
    assert.deepEqual(it.asked, ['add']);
    assert.equal(open.deadline(), Infinity);
  }
  const { it, takeOver, run } = world();
  takeOver();
  it.companion = 'late';
  assert.equal(run(), 1_000 + limits.passOnMs);
});

test('a host that takes its leave is passed nothing any more', () => {
  const { it, takeOver, run } = world();
  takeOver();
  it.companion = undefined;
  assert.equal(run(), 1_000 + limits.reviewMs);
});

test('kept on the loopback before they leave the interface, and a little longer than they are passed on', () => {
  const { it, open, run } = world();
  assert.equal(open.keep([address, linkLocal], 'eth0', '10.0.0.2', '10.0.0.1'), true);
  assert.deepEqual(it.asked, [
    'keep 10.0.0.5',
    'add 10.0.0.5/32 lo',
    'remove 10.0.0.5/24 eth0',
    'remove fe80::5/64 eth0',
  ]);
  assert.ok(run() > 1_000 + limits.passOnMs);
  assert.deepEqual(it.asked.slice(-2), ['remove 10.0.0.5/32 lo', 'end']);
});

test('an address that the operator has on the loopback stays as it is', () => {
  const { it, open, run } = world();
  it.present = ['10.0.0.5'];
  open.keep([address], 'eth0', '10.0.0.2', '10.0.0.1');
  run();
  assert.deepEqual(it.asked, ['keep 10.0.0.5', 'remove 10.0.0.5/24 eth0', 'end']);
});

test('whoever ends keeps them no longer than it says', () => {
  const { it, open, run } = world();
  open.keep([address], 'eth0', '10.0.0.2', '10.0.0.1', true);
  assert.equal(it.asked[0], 'keep 10.0.0.5 for good');
  open.keepNoLongerThan(300);
  assert.equal(run(), 1_300);
});

test('taken back: on the interface before they leave the loopback', () => {
  const { it, open, takeOver } = world();
  open.keep([address], 'eth0', '10.0.0.2', '10.0.0.1');
  it.asked.length = 0;
  takeOver();
  assert.deepEqual(it.asked, ['end', 'pass 10.0.0.5 on to 10.0.0.2', 'add', 'remove 10.0.0.5/32 lo']);
});

test('a kernel that can’t: nothing is kept, and that is said once', () => {
  const { it, open, takeOver } = world();
  it.failure = 'EOPNOTSUPP';
  takeOver();
  assert.equal(open.keep([address], 'eth0', '10.0.0.2', '10.0.0.1'), false);
  assert.equal(open.deadline(), Infinity);
  assert.deepEqual(it.log, ['(VI_1) open connections end when the addresses move: nf_tables says EOPNOTSUPP']);
});
