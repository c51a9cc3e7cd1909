import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backendPlan, balancerPlan, frontendPlan } from '../../test/fixtures/balancer-plan.ts';
import { weightScale } from '../core/balance/servers.ts';
import type { BackendPlan } from '../plan/balancer.ts';
import { backendWord } from './board/layout.ts';
import { type Board, createBoard, openBoard } from './board.ts';
import { noServer, queued, queueFull, type Waiter } from './dispatch.ts';
import { WorkerDispatch } from './dispatcher.ts';

/** A board with its workers, all in this thread; wake-ups are delivered by `settle`. */
class House {
  readonly supervisor: Board;
  readonly workers: WorkerDispatch[] = [];
  readonly #woken: number[] = [];

  constructor(plan: BackendPlan, workers = 1) {
    const whole = balancerPlan([plan]);
    const wake = (worker: number) => this.#woken.push(worker);
    this.supervisor = createBoard(whole, workers, wake);
    this.supervisor.backends[0].startWith(plan.servers.map((server) => server.weight * weightScale));
    for (let worker = 0; worker < workers; worker++)
      this.workers.push(
        new WorkerDispatch(openBoard(this.supervisor.memory, whole, workers, worker, wake), { uint32: () => 7 }),
      );
  }

  dispatch(worker = 0) {
    return this.workers[worker].backends[0];
  }

  settle(): void {
    for (let worker = this.#woken.shift(); worker !== undefined; worker = this.#woken.shift())
      this.workers[worker].poll();
  }

  get backend() {
    return this.supervisor.backends[0];
  }
}

class Request implements Waiter {
  balanceHash = -1;
  avoidServer = -1;
  queueTicket = -1;
  granted: number | undefined;
  refused: number | undefined;
  slotGranted(server: number): void {
    this.granted = server;
  }
  slotRefused(result: number): void {
    this.refused = result;
  }
}

test('servers get requests in turn, and counts return to zero', () => {
  const house = new House(backendPlan([{}, {}, {}]));
  const turns = Array.from({ length: 7 }, () => house.dispatch().assign(new Request()));
  assert.deepEqual(turns, [0, 1, 2, 0, 1, 2, 0]);
  assert.equal(house.dispatch().serverConnections(0), 3);
  assert.equal(house.dispatch().backendConnections(), 7);
  for (const server of turns) house.dispatch().release(server);
  assert.equal(house.dispatch().backendConnections(), 0);
});

test('a full backend queues in order of arrival, across workers', () => {
  const house = new House(backendPlan([{ maxconn: 1 }, { maxconn: 1 }]), 2);
  assert.equal(house.dispatch(0).assign(new Request()), 0);
  assert.equal(house.dispatch(1).assign(new Request()), 1);
  const waiting = Array.from({ length: 6 }, () => new Request());
  waiting.forEach((request, index) => {
    assert.equal(house.dispatch(index % 2).assign(request), queued);
  });
  assert.equal(house.dispatch(0).backendQueueLength(), 6);
  for (const [index, request] of waiting.entries()) {
    const holder = index === 0 ? 0 : (index - 1) % 2;
    house.dispatch(holder).release(0);
    assert.equal(request.granted, undefined, 'never from inside the call');
    house.settle();
    assert.equal(request.granted, 0);
  }
});

test('an abandoned waiter leaves no gap, and a slot granted to it goes on', () => {
  const house = new House(backendPlan([{ maxconn: 1 }]));
  assert.equal(house.dispatch().assign(new Request()), 0);
  const [first, second, third] = [new Request(), new Request(), new Request()];
  for (const request of [first, second, third]) assert.equal(house.dispatch().assign(request), queued);
  house.dispatch().abandon(first);
  house.dispatch().release(0);
  house.dispatch().abandon(second); // it was granted the slot, but not told yet
  house.settle();
  assert.equal(first.granted, undefined);
  assert.equal(second.granted, undefined);
  assert.equal(third.granted, 0);
  house.dispatch().release(0);
  assert.equal(house.dispatch().backendConnections(), 0);
});

test('a hash names its server: the request waits there, up to maxqueue', () => {
  const house = new House(
    backendPlan(
      [
        { maxconn: 1, maxqueue: 1 },
        { maxconn: 1, maxqueue: 1 },
      ],
      { balance: { algorithm: 'uri' } },
    ),
  );
  const request = (hash: number) => Object.assign(new Request(), { balanceHash: hash });
  assert.equal(house.dispatch().assign(request(3)), 1);
  const waiter = request(5);
  assert.equal(house.dispatch().assign(waiter), queued);
  assert.equal(house.dispatch().serverQueueLength(1), 1);
  assert.equal(house.dispatch().assign(request(1)), queueFull);
  assert.equal(house.dispatch().assign(request(2)), 0);
  house.dispatch().release(1);
  house.settle();
  assert.equal(waiter.granted, 1);
});

test('a server that goes away sends its queue to another; without one it is refused', () => {
  const house = new House(backendPlan([{ maxconn: 1 }, { maxconn: 1 }], { balance: { algorithm: 'uri' } }));
  const request = (hash: number) => Object.assign(new Request(), { balanceHash: hash });
  assert.equal(house.dispatch().assign(request(0)), 0);
  const [one, two] = [request(2), request(4)];
  assert.equal(house.dispatch().assign(one), queued);
  assert.equal(house.dispatch().assign(two), queued);
  assert.equal(house.backend.setWeight(0, 0, 100, true), 2);
  house.settle();
  assert.equal(one.granted, 1);
  assert.equal(two.granted, undefined);
  assert.equal(house.dispatch().serverQueueLength(1), 1);
  assert.equal(house.backend.setWeight(1, 0, 100, true), 1);
  house.settle();
  assert.equal(two.refused, noServer);
  assert.equal(house.dispatch().assign(new Request()), noServer);
});

test('minconn, maxconn and fullconn make the limit follow the load', () => {
  const house = new House(backendPlan([{ maxconn: 10, minconn: 2 }], { fullconn: 20 }));
  const taken = Array.from({ length: 4 }, () => house.dispatch().assign(new Request()));
  // Manual 5.2 minconn: at a load of n of 20 the limit is 10 n / 20, but at least 2.
  assert.deepEqual(taken, [0, 0, queued, queued]);
  assert.equal(house.backend.limit(0), 2);
  for (let more = 0; more < 16; more++) house.dispatch().assign(new Request());
  assert.equal(house.backend.limit(0), 10);
});

test('what a dead worker held is taken back and given to those who wait', () => {
  const house = new House(backendPlan([{ maxconn: 2 }]), 2);
  assert.equal(house.dispatch(0).assign(new Request()), 0);
  assert.equal(house.dispatch(0).assign(new Request()), 0);
  const [lost, waiting] = [new Request(), new Request()];
  assert.equal(house.dispatch(0).assign(lost), queued);
  assert.equal(house.dispatch(1).assign(waiting), queued);
  house.supervisor.reclaim(0);
  house.settle();
  assert.equal(waiting.granted, 0);
  assert.equal(lost.granted, undefined);
  assert.equal(house.dispatch(1).serverConnections(0), 1);
  house.dispatch(1).release(0);
  assert.equal(house.dispatch(1).backendConnections(), 0);
});

test('a worker that died while it changed the queues: they are made anew', () => {
  const house = new House(backendPlan([{ maxconn: 1 }]), 3);
  assert.equal(house.dispatch(0).assign(new Request()), 0);
  const waiting = Array.from({ length: 6 }, () => new Request());
  waiting.forEach((request, index) => {
    assert.equal(house.dispatch(index % 3).assign(request), queued);
  });
  const { layout, memory } = house.supervisor;
  const words = new Int32Array(memory, layout.backends[0].words * 4);
  words[backendWord.lock] = 1 + 1; // worker 1 holds the lock
  words[backendWord.queueHead] = 0; // and was about to link someone in
  words[backendWord.queueLength] = 99;
  house.supervisor.reclaim(1);
  assert.equal(words[backendWord.lock], 0);
  assert.equal(house.dispatch(0).backendQueueLength(), 4);
  for (const [index, request] of waiting.entries()) {
    if (index % 3 === 1) continue;
    const served = house.backend.servedBy(0)[0] > 0 ? 0 : 2;
    house.dispatch(served).release(0);
    house.settle();
    assert.equal(request.granted, 0, `waiter ${index}`);
  }
  assert.equal(waiting[1].granted, undefined);
  assert.equal(house.backend.word('queuedTotal'), 0);
});

test('clients are admitted up to maxconn of frontend and process, and a dead worker leaves none behind', () => {
  const plan = balancerPlan([], [frontendPlan(0, { maxconn: 2 }), frontendPlan(1)], { maxconn: 3 });
  const supervisor = createBoard(plan, 2, () => {});
  const [one, two] = [0, 1].map((worker) => openBoard(supervisor.memory, plan, 2, worker, () => {}));
  assert.deepEqual([one.admit(0), two.admit(0), one.admit(0)], [true, true, false]);
  assert.deepEqual([two.admit(1), one.admit(1)], [true, false]);
  assert.equal(one.hasRoomFor(1), false);
  two.dismiss(0);
  assert.equal(one.hasRoomFor(0), true);
  supervisor.reclaim(1);
  assert.equal(supervisor.processConnections(), 1);
  assert.equal(supervisor.frontendConnections(1), 0);
  one.dismiss(0);
  assert.equal(supervisor.processConnections(), 0);
  assert.equal(supervisor.processCell('connectionsMax'), 3);
});
