import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import koffi from 'koffi';
import { needs } from '../../test/requirements.ts';
import { type Libc, libc, linux } from './libc.ts';
import { encodeSockaddr } from './sockaddr.ts';
import { createLogSink, type LogDestination, SyslogSink } from './syslog.ts';
import { DatagramDestination } from './syslog-datagram.ts';
import { PortableUdpDestination } from './syslog-portable.ts';

const bytes = (text: string) => Buffer.from(text);

async function receiver(): Promise<{ socket: Socket; port: number; take: (count: number) => Promise<string[]> }> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
  const received: string[] = [];
  socket.on('message', (message) => {
    received.push(message.toString());
    socket.emit('taken');
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    socket,
    port: socket.address().port,
    take: async (count) => {
      while (received.length < count) await once(socket, 'taken');
      return received.splice(0, count);
    },
  };
}

const udp = (port: number) => ({ to: { kind: 'udp', address: { family: 'ipv4', host: '127.0.0.1', port } } }) as const;

test('lines of one turn leave together, one datagram each, in order', { skip: needs('linux') }, async (t) => {
  const log = await receiver();
  t.after(() => log.socket.close());
  const sink = createLogSink([udp(log.port), udp(log.port)]);
  t.after(() => sink.close());
  const expected: string[] = [];
  for (let index = 0; index < 200; index++) {
    const line = `line ${index} ${'x'.repeat(index)}\n`;
    expected.push(line);
    sink.send(index % 2, bytes(`..${line}..`), 2, 2 + line.length);
  }
  assert.deepEqual(await log.take(200), expected);
  assert.equal(sink.droppedLines, 0);
});

test('a large batch of lines of few lengths: each is a datagram of its own, and none is lost', {
  skip: needs('linux'),
}, async (t) => {
  const log = await receiver();
  t.after(() => log.socket.close());
  const sink = createLogSink([udp(log.port)]);
  t.after(() => sink.close());
  // The last is longer than any segment may be, and is fragmented or not as the kernel likes.
  const lines = Array.from({ length: 64 }, (_, index) => `${index} ${'x'.repeat(100 + (index % 3))}\n`);
  const batches = [lines.slice(0, 40), lines.slice(40, 43), [...lines.slice(43), `${'long'.repeat(400)}\n`]];
  for (const batch of batches) {
    for (const line of batch) sink.send(0, bytes(line), 0, line.length);
    sink.flush();
  }
  assert.deepEqual((await log.take(65)).sort(), batches.flat().sort());
  assert.equal(sink.droppedLines, 0);
});

test('a few lines leave in the order in which they came', { skip: needs('linux') }, async (t) => {
  const log = await receiver();
  t.after(() => log.socket.close());
  const sink = createLogSink([udp(log.port)]);
  t.after(() => sink.close());
  const lines = Array.from({ length: 15 }, (_, index) => `${index} ${'x'.repeat(index % 2)}\n`);
  for (const line of lines) sink.send(0, bytes(line), 0, line.length);
  assert.deepEqual(await log.take(15), lines);
});

test('where the kernel makes no datagrams of a message, lines leave one by one', {
  skip: needs('linux'),
}, async (t) => {
  const log = await receiver();
  t.after(() => log.socket.close());
  const c = libc()!;
  let refused = 0;
  // Refuses the second message of a batch when it has more than one line, as an old kernel does.
  const old: Libc = {
    ...c,
    sendmmsg: (fd, messages, count, flags) => {
      const lines = new BigUint64Array(koffi.view(messages as bigint, 64))[3];
      if (lines === 1n) return c.sendmmsg(fd, messages, count, flags);
      if (refused++ === 0) return c.sendmmsg(fd, messages, 1, flags);
      return c.shutdown(fd, 99); // EINVAL, and nothing is shut down
    },
  };
  const destination = new DatagramDestination(old, udp(log.port).to.address);
  t.after(() => destination.close());
  const lines = Array.from({ length: 40 }, (_, index) => `${10 + index} ${'x'.repeat(index % 4)}\n`);
  for (let turn = 0; turn < 2; turn++) {
    for (const line of lines) {
      destination.page.bytes.set(bytes(line), destination.page.end);
      destination.commit(destination.page.end + line.length);
    }
    destination.flush();
    assert.deepEqual((await log.take(40)).sort(), [...lines].sort());
  }
  assert.equal(refused, 2, 'asked once, and never again');
  assert.equal(destination.droppedLines, 0);
});

test('the portable sender delivers the same', async (t) => {
  const log = await receiver();
  t.after(() => log.socket.close());
  const sink = new SyslogSink([new PortableUdpDestination(udp(log.port).to.address)]);
  t.after(() => sink.close());
  const lines = Array.from({ length: 50 }, (_, index) => `line ${index}\n`);
  for (const line of lines) sink.send(0, bytes(line), 0, line.length);
  assert.deepEqual(await log.take(50), lines);
});

test('an absent UDP receiver costs nothing, and a later one gets the lines', { skip: needs('linux') }, async (t) => {
  const first = await receiver();
  const { port } = first;
  first.socket.close();
  const sink = createLogSink([udp(port)]);
  t.after(() => sink.close());
  for (let index = 0; index < 5; index++) {
    sink.send(0, bytes('lost\n'), 0, 5);
    sink.flush();
  }
  const socket = createSocket('udp4').bind(port, '127.0.0.1');
  t.after(() => socket.close());
  await once(socket, 'listening');
  sink.send(0, bytes('heard\n'), 0, 6);
  const [message] = await once(socket, 'message');
  assert.equal(String(message), 'heard\n');
});

test('a unix receiver that is absent, slow, or restarted', { skip: needs('linux') }, async (t) => {
  const c = libc();
  assert.ok(c);
  const folder = mkdtempSync(join(tmpdir(), 'evergate-log-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'log');
  const listen = () => {
    const fd = c.socket(linux.AF_UNIX, linux.SOCK_DGRAM | linux.SOCK_NONBLOCK, 0);
    const address = encodeSockaddr({ family: 'unix', path });
    assert.ok(address && c.bind(fd, address, address.length) === 0);
    return fd;
  };
  const sink = createLogSink([{ to: { kind: 'unix', path } }]);
  sink.send(0, bytes('absent\n'), 0, 7);
  sink.flush();
  assert.equal(sink.droppedLines, 1);

  const slow = listen();
  const again = createLogSink([{ to: { kind: 'unix', path } }]);
  t.after(() => again.close());
  for (let index = 0; index < 5000; index++) again.send(0, bytes('much\n'), 0, 5);
  again.flush();
  const buffer = new Uint8Array(100);
  let heard = 0;
  while (c.read(slow, buffer, 100) === 5) heard++;
  assert.ok(heard > 0);
  assert.equal(heard + again.droppedLines, 5000);
  c.close(slow);
  rmSync(path);

  const fresh = listen();
  t.after(() => c.close(fresh));
  // A socket that just failed is opened again after a second at the latest.
  const end = performance.now() + 5000;
  let got = -1;
  while (got !== 6 && performance.now() < end) {
    again.send(0, bytes('fresh\n'), 0, 6);
    await new Promise((resolve) => setImmediate(resolve));
    got = c.read(fresh, buffer, 100);
  }
  assert.equal(got, 6);
});

test('stdout: whole lines arrive, and a reader that stops reading blocks nobody', {
  skip: needs('linux'),
}, async () => {
  const program = `
    import { createLogSink } from ${JSON.stringify(new URL('./syslog.ts', import.meta.url).href)};
    const sink = createLogSink([{ to: { kind: 'fd', fd: 1 } }]);
    const line = Buffer.from('x'.repeat(99) + '\\n');
    for (let index = 0; index < 20000; index++) sink.send(0, line, 0, 100);
    sink.close();
    process.stderr.write(String(sink.droppedLines));
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'pipe'] });
  let heard = '';
  child.stdout.on('data', (chunk) => {
    heard += chunk;
  });
  child.stdout.pause(); // until the child has ended
  let dropped = '';
  child.stderr.on('data', (chunk) => {
    dropped += chunk;
  });
  await once(child, 'close');
  const lines = heard.split('\n');
  assert.equal(lines.pop(), '');
  assert.ok(lines.every((line) => line === 'x'.repeat(99)));
  assert.ok(lines.length > 100);
  assert.equal(lines.length + Number(dropped), 20_000);
});

test('a full batch is flushed at once, the rest at the end of the turn', async () => {
  const calls: string[] = [];
  const destination: LogDestination = {
    droppedLines: 0,
    page: { bytes: new Uint8Array(10), end: 0 },
    commit: (end) => {
      calls.push(Buffer.from(destination.page.bytes.subarray(0, end)).toString());
      return calls.filter((call) => call !== 'flush').length % 3 === 0;
    },
    flush: () => calls.push('flush'),
    close: () => {},
  };
  const sink = new SyslogSink([destination]);
  for (const line of 'abcd') sink.send(0, bytes(line), 0, 1);
  assert.deepEqual(calls, ['a', 'b', 'c', 'flush', 'd']);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(calls, ['a', 'b', 'c', 'flush', 'd', 'flush']);
});

test('with a clock the rest of a batch waits for company, a little', async () => {
  const flushed: number[] = [];
  let held = 0;
  const destination: LogDestination = {
    droppedLines: 0,
    page: { bytes: new Uint8Array(10), end: 0 },
    commit: () => {
      held++;
      return false;
    },
    flush: () => {
      if (held > 0) flushed.push(held);
      held = 0;
    },
    close: () => {},
  };
  let ring = () => {};
  let setFor = Number.POSITIVE_INFINITY;
  let now = 1000;
  const sink = new SyslogSink([destination], {
    now: () => now,
    wall: () => now,
    alarm: (told) => {
      ring = told;
      return {
        set: (at) => {
          setFor = at;
        },
        clear: () => {
          setFor = Number.POSITIVE_INFINITY;
        },
      };
    },
  });
  for (let turn = 0; turn < 3; turn++) {
    sink.send(0, bytes('line'), 0, 4);
    await new Promise((resolve) => setImmediate(resolve));
    now++;
  }
  assert.deepEqual(flushed, []);
  assert.ok(setFor > 1000 && setFor <= 1010, 'counted from the first line');
  ring();
  assert.deepEqual(flushed, [3]);
  sink.send(0, bytes('last'), 0, 4);
  sink.close();
  assert.deepEqual(flushed, [3, 1]);
  assert.equal(setFor, Number.POSITIVE_INFINITY);
});
