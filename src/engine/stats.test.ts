import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendPlan, balancerPlan, plainCheck } from '../../test/fixtures/balancer-plan.ts';
import { FakeClock, FakeStreams } from '../../test/fixtures/checked-servers.ts';
import { frontendCounter, serverCounter } from './board/layout.ts';
import { createBoard, openBoard } from './board.ts';
import { Checker } from './checker.ts';
import { WorkerDispatch } from './dispatcher.ts';
import { BoardStats } from './proxy-stats.ts';
import { snapshot } from './stats.ts';

test('a snapshot tells what workers counted and the checker found, in HAProxy’s words', () => {
  const servers = [
    { check: plainCheck, weight: 2 },
    { check: plainCheck },
    { disabled: true },
    {},
    { backup: true, maxconn: 5, maxqueue: 7 },
    { track: { backend: 0, server: 2 } },
  ];
  const plan = balancerPlan([backendPlan(servers)]);
  const supervisor = createBoard(plan, 2, () => {});
  const clock = new FakeClock();
  const streams = new FakeStreams(clock);
  streams.at(8001, { answer: '' });
  streams.at(8002, { error: 'refused' });
  const random = { uint32: () => 0 };
  const checker = new Checker(supervisor, { clock, streams, random, message: () => {}, sessionsToEnd: () => {} });
  checker.start();
  assert.deepEqual(
    snapshot(supervisor, clock.wall()).backends[0].servers.map(({ status }) => status),
    ['UP 1/3', 'UP 1/3', 'MAINT', 'no check', 'no check', 'MAINT (via servers/server3)'],
  );
  clock.advance(30_000);

  for (let worker = 0; worker < 2; worker++) {
    const board = openBoard(supervisor.memory, plan, 2, worker, () => {});
    board.enter();
    const counters = board.counters();
    counters[board.layout.frontendCounters[0] + frontendCounter.requests] += 3 + worker;
    counters[board.layout.serverCounters[0][0] + serverCounter.bytesOut] += 2 ** 40;
    counters[board.layout.serverCounters[0][0] + serverCounter.responses2xx] += 1;
    new BoardStats(board, clock).requestError(0, 'chunk-size');
    board.admit(0);
    new WorkerDispatch(board, random).backends[0].assign({
      balanceHash: -1,
      avoidServer: -1,
      queueTicket: -1,
      slotGranted: () => {},
      slotRefused: () => {},
    });
  }
  const { frontends, backends, process } = snapshot(supervisor, clock.wall());
  assert.equal(process.connections, 2);
  assert.deepEqual(
    process.workers.map(({ alive }) => alive),
    [true, true],
  );
  assert.equal(frontends[0].req_tot, 7);
  assert.equal(frontends[0].ereq, 2);
  assert.deepEqual(frontends[0].malformed, { 'chunk-size': 2 });
  assert.equal(frontends[0].scur, 2);
  const [first, second, , , backup] = backends[0].servers;
  assert.equal(first.status, 'UP');
  assert.equal(first.bout, 2 ** 41);
  assert.equal(first.hrsp_2xx, 2);
  assert.equal(first.check_status, 'L4OK');
  assert.equal(second.status, 'DOWN');
  assert.equal(second.check_status, 'L4CON');
  assert.deepEqual([second.chkfail, second.chkdown, second.lastchg, second.downtime], [1, 1, 29, 29]);
  assert.deepEqual([backup.bck, backup.slim, backup.qlimit], [1, 5, 7]);
  const { own } = backends[0];
  assert.deepEqual([own.status, own.act, own.bck, own.weight, own.scur], ['UP', 2, 1, 3, 2]);
});
