/** The worker as a whole: maxconn, pools, draining and stopping, in virtual time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { idleClosing, retireIdleMs } from '../../src/core/limits.ts';
import { Bench, type Peer, type Setup } from './bench.ts';

const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const answer = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi';

/** Sends a request and answers it on the server connection that got it. */
function exchange(bench: Bench, client: Peer): void {
  client.send(request);
  bench.settle();
  answerAll(bench);
}

function answerAll(bench: Bench): void {
  for (const { peer } of bench.servers) if (peer.take() !== '') peer.send(answer);
  bench.settle();
}

function make(setup: Setup = {}): Bench {
  return new Bench(setup);
}

test('maxconn: the connection too many waits unread and is served when another ends', () => {
  const bench = make({ frontend: { maxconn: 1 } });
  const first = bench.client();
  exchange(bench, first);
  assert.match(first.take(), /^HTTP\/1.1 200/);
  const second = bench.client();
  second.send(request);
  bench.wait(1_000);
  assert.equal(bench.servers.filter(({ peer }) => peer.text !== '').length, 0);
  first.stream.close();
  bench.settle();
  answerAll(bench);
  assert.match(second.take(), /^HTTP\/1.1 200/);
  assert.equal(bench.connections, 1);
});

test('connections of one server are shared by the requests that follow, not by first ones (http-reuse safe)', () => {
  const bench = make();
  const [a, b] = [bench.client(), bench.client()];
  exchange(bench, a);
  exchange(bench, b);
  assert.equal(bench.servers.length, 2);
  for (let i = 0; i < 10; i++) {
    exchange(bench, a);
    exchange(bench, b);
  }
  assert.equal(bench.servers.length, 2);
});

for (const [reuse, connections] of [
  ['never', 2],
  ['safe', 2],
  ['aggressive', 1],
  ['always', 1],
] as const)
  test(`http-reuse ${reuse}: ${connections} server connections for two clients of three requests each`, () => {
    const bench = make({ backend: { reuse } });
    for (const client of [bench.client(), bench.client()]) for (let i = 0; i < 3; i++) exchange(bench, client);
    assert.equal(bench.servers.length, connections);
  });

test('option http-server-close ends the server connection and keeps the client', () => {
  const bench = make({ backend: { connectionMode: 'server-close' } });
  const client = bench.client();
  client.send(request);
  bench.settle();
  assert.match(bench.servers[0]!.peer.text, /connection: close\r\n\r\n$/);
  answerAll(bench);
  assert.ok(bench.servers[0]!.peer.sawEnd);
  assert.equal(client.take(), 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi');
  assert.ok(!client.sawEnd);
});

test('idle server connections that nobody needed are closed after the purge delay', () => {
  const bench = make({ servers: [{ poolPurgeDelayMs: 5_000 }] });
  const clients = Array.from({ length: 4 }, () => bench.client());
  for (const client of clients) client.send(request);
  bench.settle();
  answerAll(bench);
  assert.equal(bench.worker.idleConnections(0, 0), 4);
  bench.wait(60_000);
  assert.equal(bench.worker.idleConnections(0, 0), 0);
  assert.ok(bench.servers.every(({ peer }) => peer.sawEnd));
});

test('many idle server connections are closed a few at a time, and a soft stop waits for the last', () => {
  const bench = make({ servers: [{ poolPurgeDelayMs: 5_000 }] });
  const clients = Array.from({ length: 200 }, () => bench.client());
  for (const client of clients) client.send(request);
  bench.settle();
  answerAll(bench);
  for (const client of clients) client.stream.close();
  const { worker } = bench;
  const idle = () => worker.idleConnections(0, 0);
  const mostAtOnce = (until: () => boolean) => {
    let most = 0;
    for (let waited = 0, before = idle(); !until(); before = idle()) {
      bench.wait(1);
      most = Math.max(most, before - idle());
      assert.ok(++waited < 11_000);
    }
    return most;
  };
  assert.equal(idle(), 200);
  assert.ok(mostAtOnce(() => idle() === 100) <= idleClosing.leastAtOnce);
  let finished = false;
  worker.softStop(() => {
    finished = true;
  });
  assert.ok(!finished);
  assert.ok(mostAtOnce(() => finished) <= idleClosing.leastAtOnce);
  assert.equal(idle(), 0);
  assert.ok(bench.servers.every(({ peer }) => peer.sawEnd));
});

test('drain: clients end after an answer that says so, idle ones when none is asked for', () => {
  const bench = make();
  const [idle, returning, busy] = [bench.client(), bench.client(), bench.client()];
  for (const client of [idle, returning]) {
    exchange(bench, client);
    client.take();
  }
  busy.send(request);
  bench.settle();
  bench.worker.drain();
  bench.settle();
  // Closed now, it might meet a request that is on its way.
  assert.ok(!returning.sawEnd);
  returning.send(request);
  bench.settle();
  answerAll(bench);
  assert.match(returning.take(), /^HTTP\/1\.1 200 .*connection: close/s);
  assert.ok(returning.sawEnd);
  assert.ok(!idle.sawEnd);
  bench.wait(2 * retireIdleMs);
  assert.ok(idle.sawEnd);
  assert.equal(busy.take(), 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi');
  assert.ok(busy.sawEnd);
  const late = bench.client();
  exchange(bench, late);
  assert.match(late.take(), /^HTTP\/1.1 200/);
});

test('soft stop: nothing new is taken, what is under way ends, then it is told', () => {
  const bench = make();
  const client = bench.client();
  client.send(request);
  bench.settle();
  let finished = 0;
  bench.worker.softStop(() => finished++);
  bench.wait(1_000);
  assert.equal(finished, 0);
  answerAll(bench);
  client.stream.close();
  bench.settle();
  assert.match(client.take(), /connection: close/);
  assert.equal(finished, 1);
  assert.equal(bench.connections, 0);
});

test('endSessions: what is under way on a server ends with 503, or breaks off inside an answer', () => {
  const bench = make();
  const [waiting, reading] = [bench.client(), bench.client()];
  waiting.send(request);
  bench.settle();
  reading.send(request);
  bench.settle();
  bench.servers[1]!.peer.send('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc');
  bench.settle();
  bench.worker.endSessions(0, 0);
  bench.settle();
  assert.match(waiting.take(), /^HTTP\/1.1 503/);
  assert.equal(reading.error, 'reset');
  assert.deepEqual(
    bench.log.map((line) => / ([A-Za-z-]{2})-- /.exec(line)?.[1]),
    ['KH', 'KD'],
  );
});

test('back-pressure: a client that does not read holds the server up, and gets every byte in the end', () => {
  const bench = make({ network: { windowBytes: 16_384 } });
  const client = bench.client();
  client.send(request);
  bench.settle();
  client.stream.pause();
  const { peer } = bench.servers[0]!;
  const size = 4_000_000;
  peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
  peer.send('x'.repeat(size));
  bench.settle();
  assert.ok(peer.stream.unsentBytes > size / 2, `${peer.stream.unsentBytes} bytes wait at the server`);
  client.stream.resume();
  bench.settle();
  assert.equal(client.text.length, `HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`.length + size);
  assert.equal(bench.worker.idleConnections(0, 0), 1);
});

test('back-pressure: while a client does not read a long body, its own timeout counts, and one who reads slowly lives', () => {
  const size = 1_000_000;
  for (const reads of [true, false]) {
    const bench = make({ network: { windowBytes: 16_384 }, timeouts: { client: 1_000, server: 300 } });
    const client = bench.client();
    client.send(request);
    bench.settle();
    client.stream.pause();
    const { peer } = bench.servers[0]!;
    peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n`);
    peer.send('x'.repeat(size));
    for (let quarters = 0; quarters < 12; quarters++) {
      bench.wait(250);
      if (!reads) continue;
      const receives = client.received;
      client.received = (buffer, start, end) => {
        receives.call(client, buffer, start, end);
        client.stream.pause();
      };
      client.stream.resume();
      bench.settle();
      client.received = receives;
    }
    if (reads) {
      assert.equal(bench.connections, 1);
      client.stream.resume();
      bench.settle();
      assert.equal(client.text.length, `HTTP/1.1 200 OK\r\ncontent-length: ${size}\r\n\r\n`.length + size);
    } else {
      assert.equal(bench.connections, 0);
      assert.match(bench.log[0]!, / cD-- /);
    }
  }
});

test('back-pressure: a server that does not read holds the client up, chunked or not', () => {
  for (const chunked of [false, true]) {
    const bench = make({ network: { windowBytes: 16_384 } });
    const client = bench.client();
    client.send(
      `POST / HTTP/1.1\r\nHost: x\r\n${chunked ? 'Transfer-Encoding: chunked' : 'Content-Length: 1000000'}\r\n\r\n`,
    );
    bench.settle();
    const { peer } = bench.servers[0]!;
    peer.stream.pause();
    const body = 'x'.repeat(1_000_000);
    client.send(chunked ? `f4240\r\n${body}\r\n0\r\n\r\n` : body);
    bench.settle();
    assert.ok(client.stream.unsentBytes > 500_000, `${client.stream.unsentBytes} bytes wait at the client`);
    peer.stream.resume();
    bench.settle();
    assert.equal(peer.text.replaceAll(/[^x]/g, '').length - 'x'.length, 1_000_000);
    peer.text = '';
    peer.send(answer);
    bench.settle();
    assert.match(client.take(), /^HTTP\/1.1 200/);
  }
});

test('a client that sends a long body after its refusal still gets the answer', () => {
  const bench = make();
  const client = bench.client();
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n');
  for (let i = 0; i < 10; i++) {
    client.send('x'.repeat(10_000));
    bench.settle();
  }
  assert.match(client.take(), /^HTTP\/1.1 400 Bad request/);
  assert.ok(client.sawEnd && client.error === undefined);
  bench.wait(2_000);
  assert.equal(bench.connections, 0);
});
