import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendPlan, balancerPlan, plainCheck } from '../../test/fixtures/balancer-plan.ts';
import { FakeClock, FakeStreams, type Script } from '../../test/fixtures/checked-servers.ts';
import { ascii } from '../core/http1/bytes.ts';
import type { BackendPlan } from '../plan/balancer.ts';
import { createBoard } from './board.ts';
import { Checker } from './checker.ts';

const httpCheck = { ...plainCheck, kind: 'http' as const, request: ascii('GET / HTTP/1.0\r\n\r\n') };
const ok: Script = { answer: 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi' };
const refused: Script = { error: 'refused' };

/** A checker over servers on ports 8001, 8002, …, whose behaviour a test sets by port. */
class House {
  readonly clock = new FakeClock();
  readonly streams = new FakeStreams(this.clock);
  readonly messages: string[] = [];
  readonly levels: number[] = [];
  readonly ended: string[] = [];
  readonly board;
  readonly checker;

  told = 0;

  constructor(...backends: BackendPlan[]) {
    const plan = balancerPlan(backends.map((backend, index) => ({ ...backend, index })));
    this.board = createBoard(plan, 1, () => {});
    this.checker = new Checker(this.board, {
      clock: this.clock,
      streams: this.streams,
      random: { uint32: () => 0x8000_0000 },
      message: (_backend, level, text) => {
        this.levels.push(level);
        this.messages.push(text);
      },
      allChecked: () => {
        this.told++;
      },
      sessionsToEnd: (backend, server) => this.ended.push(`${backend}/${server}`),
    });
  }

  /** Runs for `ms` of virtual time and returns what was told meanwhile. */
  run(ms: number): string[] {
    const before = this.messages.length;
    this.clock.advance(ms);
    return this.messages.slice(before);
  }
}

test('the first failure takes a server down, rise successes bring it back (as HAProxy 2.6 tells it)', () => {
  const house = new House(backendPlan([{ check: httpCheck }, { check: httpCheck }]));
  house.streams.at(8001, refused);
  house.streams.at(8002, ok);
  house.checker.start();
  assert.equal(house.checker.allChecked(), false);
  assert.deepEqual(house.run(1500), [
    'Server servers/server1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
  ]);
  assert.equal(house.levels[0], 1);
  assert.equal(house.checker.allChecked(), true);
  assert.equal(house.checker.everyBackendUsable(), true);
  house.streams.at(8001, ok);
  assert.deepEqual(house.run(4000), [
    'Server servers/server1 is UP, reason: Layer7 check passed, code: 200, check duration: 0ms. 2 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
  ]);
  assert.equal(house.levels[1], 5);
});

test('fall failures in a row take a server down, one success in between starts the count again', () => {
  const house = new House(backendPlan([{ check: httpCheck }], { logHealthChecks: true }));
  house.streams.at(8001, ok);
  house.checker.start();
  assert.deepEqual(house.run(10), [
    'Health check for server servers/server1 succeeded, reason: Layer7 check passed, code: 200, check duration: 0ms, status: 3/3 UP.',
  ]);
  house.streams.at(8001, refused);
  const failed = (status: string) =>
    `Health check for server servers/server1 failed, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms, status: ${status}.`;
  assert.deepEqual(house.run(4000), [failed('2/3 UP'), failed('1/3 UP')]);
  house.streams.at(8001, ok);
  house.run(2000);
  house.streams.at(8001, refused);
  assert.deepEqual(house.run(6000), [
    failed('2/3 UP'),
    failed('1/3 UP'),
    failed('0/2 DOWN'),
    'Server servers/server1 is DOWN. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
    'backend servers has no server available!',
  ]);
  assert.equal(house.levels.at(-1), 0);
  assert.equal(house.checker.everyBackendUsable(), false);
});

test('inter, fastinter and downinter are kept, counted from the end of a check', () => {
  const check = { ...httpCheck, intervalMs: 5000, fastIntervalMs: 1000, downIntervalMs: 3000 };
  const house = new House(backendPlan([{ check }]));
  house.streams.at(8001, ok);
  house.checker.start();
  house.run(4999);
  house.streams.at(8001, refused);
  house.run(15_001);
  house.streams.at(8001, ok);
  house.run(10_000);
  // Up at 0; failures at 5, 6, 7 (down); then every 3 s; from 22 on it answers: 22, 23 (up), then every 5 s.
  assert.deepEqual(
    house.streams.connects.map(({ at }) => at),
    [0, 5, 6, 7, 10, 13, 16, 19, 22, 23, 28].map((second) => second * 1000),
  );
});

test('what servers do and how it is told', async (t) => {
  const cases: [string, Script, string][] = [
    [
      'a wrong status',
      { answer: 'HTTP/1.1 503 Service Unavailable\r\n\r\n' },
      'Layer7 wrong status, code: 503, info: "Service Unavailable", check duration: 0ms',
    ],
    ['no HTTP', { answer: 'garbage\r\n\r\n' }, 'Layer7 invalid response, check duration: 0ms'],
    ['closes without a word', { answer: '', ends: true }, 'Layer7 invalid response, check duration: 0ms'],
    [
      'closes within the head',
      { answer: 'HTTP/1.1 200 OK\r\nA: b\r\n', ends: true },
      'Layer7 invalid response, check duration: 0ms',
    ],
    ['resets', { answer: '', error: 'reset' }, 'Socket error, info: "Connection reset by peer", check duration: 0ms'],
    ['never answers', { answer: '' }, 'Layer7 timeout, check duration: 2000ms'],
    ['never lets anyone in', {}, 'Layer4 timeout, check duration: 2000ms'],
    [
      'is unreachable',
      { error: 'unreachable' },
      'Layer4 connection problem, info: "No route to host", check duration: 0ms',
    ],
  ];
  for (const [name, script, reason] of cases)
    await t.test(name, () => {
      const house = new House(backendPlan([{ check: httpCheck }]));
      house.streams.at(8001, script);
      house.checker.start();
      assert.match(house.run(2500)[0], new RegExp(`^Server servers/server1 is DOWN, reason: ${reason}\\. 0 active`));
      assert.equal(house.streams.open, 0, 'no connection is left behind');
    });
});

test('a body is judged when it is there, however it comes', () => {
  const expect = { kind: 'string' as const, negate: false, pattern: 'hello', statuses: [] };
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n';
  for (const pieces of [1, 7, 1000]) {
    const house = new House(backendPlan([{ check: { ...httpCheck, expect } }]));
    house.streams.at(8001, { answer: chunked, pieces });
    house.checker.start();
    assert.deepEqual(house.run(100), []);
    house.streams.at(8001, { answer: chunked.replace('lo', 'xx'), pieces });
    assert.match(house.run(6000).join(), /info: "HTTP content check did not match"/);
  }
});

test('an interim answer is not the answer', () => {
  const house = new House(backendPlan([{ check: httpCheck }]));
  house.streams.at(8001, { answer: 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\n\r\n', pieces: 5 });
  house.checker.start();
  assert.deepEqual(house.run(3000), []);
});

test('a disabled server is in maintenance and not checked; a tracking one follows', () => {
  const house = new House(
    backendPlan([{ check: httpCheck, disabled: true }, { check: httpCheck }]),
    backendPlan([{ track: { backend: 0, server: 1 } }, { track: { backend: 0, server: 0 } }], { name: 'others' }),
  );
  house.streams.at(8002, refused);
  house.checker.start();
  assert.deepEqual(
    house.run(3000).map((text) => text.split('.')[0]),
    [
      'Server servers/server2 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms',
      'backend servers has no server available!',
      'Server others/server1 is DOWN via servers/server2',
      'backend others has no server available!',
    ],
  );
  assert.equal(
    house.streams.connects.some(({ port }) => port === 8001),
    false,
  );
});

test('slowstart raises the weight and the limit step by step', () => {
  const house = new House(backendPlan([{ check: httpCheck, weight: 10, maxconn: 100, slowstartMs: 4000 }]));
  house.streams.at(8001, refused);
  house.checker.start();
  house.run(100);
  house.streams.at(8001, ok);
  house.run(4000);
  const backend = house.board.backends[0];
  const seen: number[] = [];
  const limits: number[] = [];
  for (let second = 0; second < 5; second++) {
    seen.push(backend.weights[0]);
    limits.push(backend.limit(0));
    house.run(1000);
  }
  // Manual 5.2 slowstart: from almost nothing to the whole weight (10 × 16) and maxconn.
  assert.deepEqual(seen, [10, 50, 90, 130, 160]);
  assert.deepEqual(limits, [1, 25, 50, 75, 100]);
});

test('on-marked-down shutdown-sessions tells the workers', () => {
  const house = new House(backendPlan([{ check: httpCheck, onMarkedDown: 'shutdown-sessions' }]));
  house.streams.at(8001, refused);
  house.checker.start();
  house.run(100);
  assert.deepEqual(house.ended, ['0/0']);
  assert.equal(house.board.backends[0].column('sessionGeneration')[0], 1);
});

test('a server without an address waits in maintenance until it has one', () => {
  const house = new House(backendPlan([{ check: httpCheck, address: undefined, hostname: 'web1' }]));
  house.streams.at(9001, ok);
  house.checker.start();
  assert.deepEqual(house.run(5000), []);
  assert.equal(house.board.backends[0].weights[0], 0);
  house.checker.setAddress(0, 0, { family: 'ipv4', host: '127.0.0.1', port: 9001 });
  house.run(100);
  assert.deepEqual(house.messages, ["Server servers/server1 ('web1') is UP/READY (resolves again)."]);
  assert.equal(house.board.backends[0].weights[0], 16);
  assert.equal(house.streams.connects.length, 1);
  house.checker.setAddress(0, 0, undefined);
  assert.equal(house.board.backends[0].weights[0], 0);
  assert.match(
    house.messages[1],
    /^Server servers\/server1 is going DOWN for maintenance \(No IP for server\)\. 0 active/,
  );
});

test('first checks are spread over the shortest interval', () => {
  const house = new House(
    backendPlan([{ check: httpCheck }, { check: httpCheck }, { check: httpCheck }, { check: httpCheck }]),
  );
  for (const port of [8001, 8002, 8003, 8004]) house.streams.at(port, ok);
  house.checker.start();
  house.run(1900);
  assert.deepEqual(
    house.streams.connects.map(({ at }) => at),
    [0, 500, 1000, 1500],
  );
});

test('after stop nothing is checked any more', () => {
  const house = new House(backendPlan([{ check: httpCheck }]));
  house.streams.at(8001, {});
  house.checker.start();
  house.run(10);
  house.checker.stop();
  assert.deepEqual(house.run(60_000), []);
  assert.equal(house.streams.connects.length, 1);
  assert.equal(house.streams.open, 0);
});

test('after a reload servers go on with the health they had, and none counts as unchecked', () => {
  const backend = backendPlan([{ check: httpCheck }, { check: httpCheck }]);
  const tracking = backendPlan([{ track: { backend: 0, server: 0 } }], { name: 'others' });
  const before = new House(backend, tracking);
  before.streams.at(8001, refused);
  before.streams.at(8002, ok);
  before.checker.start();
  before.run(3000);
  assert.equal(before.told, 1);

  const after = new House(backend, tracking);
  after.checker.resumeFrom(before.checker);
  assert.equal(after.checker.allChecked(), true);
  assert.deepEqual(
    after.board.backends.map(({ weights }) => [...weights]),
    [[0, 16], [0]],
  );
  after.streams.at(8001, ok);
  after.streams.at(8002, ok);
  after.checker.start();
  assert.deepEqual(
    after.run(5000).map((text) => text.split(/[.,]/)[0]),
    ['Server servers/server1 is UP', 'Server others/server1 is UP via servers/server1'],
  );
});
