/** What waits to be sent at the end of a connection: it is delivered to who reads, however slowly, and held for nobody who doesn't. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bench, type Peer } from './bench.ts';

const request = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';
const megabyte = 'x'.repeat(1_000_000);
const network = { windowBytes: 16_384 };

/** Reads what is there, a window at a time, with pauses shorter than any timeout. */
function readSlowly(bench: Bench, peer: Peer, turns: number): void {
  for (let turn = 0; turn < turns; turn++) {
    bench.wait(600);
    const receives = peer.received;
    peer.received = (buffer, start, end) => {
      receives.call(peer, buffer, start, end);
      peer.stream.pause();
    };
    peer.stream.resume();
    bench.settle();
    peer.received = receives;
  }
  peer.stream.resume();
  bench.settle();
}

test('tcp: a client that never reads is gone after its timeout, and counts no longer', () => {
  const bench = new Bench({ mode: 'tcp', network, timeouts: { client: 1_000, server: 1_000 } });
  const client = bench.client();
  client.stream.pause();
  bench.servers[0]!.peer.send(megabyte);
  bench.wait(1_100);
  assert.match(bench.log[0]!, / cD /);
  assert.equal(bench.connections, 0);
});

test('tcp: a server that never reads holds nothing after its timeout', () => {
  const bench = new Bench({ mode: 'tcp', network, timeouts: { client: 2_000, server: 1_000 } });
  const client = bench.client();
  const { peer } = bench.servers[0]!;
  peer.stream.pause();
  client.send(megabyte);
  bench.wait(1_100);
  assert.match(bench.log[0]!, / sD /);
  assert.equal(peer.error, 'reset');
});

test('tcp: a server that never reads holds nothing of a client that has gone', () => {
  const bench = new Bench({ mode: 'tcp', network, timeouts: { client: 5_000, server: 1_000 } });
  const client = bench.client();
  const { peer } = bench.servers[0]!;
  peer.stream.pause();
  client.send('x'.repeat(40_000));
  bench.settle();
  client.stream.reset();
  bench.wait(900);
  assert.match(bench.log[0]!, / CD /);
  assert.equal(peer.error, undefined);
  bench.wait(200);
  assert.equal(peer.error, 'reset');
});

for (const reads of [true, false])
  test(`tcp: both sides have ended, and the client ${reads ? 'reads slowly: it gets all' : 'reads nothing: it is reset'}`, () => {
    const bench = new Bench({ mode: 'tcp', network, timeouts: { client: 1_000, server: 1_000 } });
    const client = bench.client();
    client.stream.pause();
    bench.servers[0]!.peer.send('x'.repeat(32_000));
    bench.settle();
    client.stream.shutdown();
    bench.servers[0]!.peer.stream.close();
    bench.settle();
    assert.match(bench.log[0]!, / -- /);
    if (reads) {
      readSlowly(bench, client, 4);
      assert.equal(client.text.length, 32_000);
      assert.equal(client.error, undefined);
    } else bench.wait(1_100);
    assert.equal(bench.connections, 0);
  });

test('http: a server that never reads holds nothing after its timeout', () => {
  const bench = new Bench({ network, timeouts: { client: 5_000, server: 1_000 } });
  const client = bench.client();
  client.send(`POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${megabyte.length}\r\n\r\n`);
  bench.settle();
  const { peer } = bench.servers[0]!;
  peer.stream.pause();
  client.send(megabyte);
  bench.wait(1_100);
  assert.match(client.text, /^HTTP\/1.1 504 /);
  assert.equal(peer.error, 'reset');
});

test('http: a whole request has its time, and no more, when its server was given up', () => {
  const bench = new Bench({ network, timeouts: { client: 5_000, server: 1_000 } });
  const client = bench.client();
  client.send('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\n\r\n');
  bench.settle();
  const { peer } = bench.servers[0]!;
  peer.stream.pause();
  client.send('x'.repeat(40_000));
  bench.wait(1_100);
  assert.match(client.text, /^HTTP\/1.1 504 /);
  assert.equal(peer.error, undefined);
  bench.wait(1_000);
  assert.equal(peer.error, 'reset');
});

for (const [connection, requests] of [
  ['close', 1],
  ['keep-alive', 1],
  ['close, and the next request is there', 2],
] as const)
  test(`http, connection ${connection}: a slow reader gets the whole answer`, () => {
    const bench = new Bench({ network, timeouts: { client: 1_000, server: 1_000, httpKeepAlive: 700 } });
    const client = bench.client();
    const head = request.replace('\r\n\r\n', `\r\nConnection: ${connection.split(',')[0]}\r\n\r\n`);
    client.send(head.repeat(requests));
    bench.settle();
    client.stream.pause();
    bench.servers[0]!.peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 46000\r\n\r\n${'x'.repeat(46_000)}`);
    bench.settle();
    assert.match(bench.log[0]!, / ---- /);
    readSlowly(bench, client, 5);
    assert.equal(client.text.length - client.text.indexOf('\r\n\r\n') - 4, 46_000);
    assert.equal(client.error, undefined);
    bench.wait(2_000);
    assert.equal(bench.connections, 0);
  });
