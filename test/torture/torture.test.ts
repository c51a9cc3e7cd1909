/**
 * Many conversations at a time through a real balancer, of all sizes, in pieces and with pauses, broken off by either side: every byte is right, in
 * TCP mode the log counts them all, and in the end nothing of them is left. EVERGATE_TORTURE_SEED and EVERGATE_TORTURE_SECONDS make it go on from
 * another seed, for longer.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { uringAvailable } from '../../src/adapters/uring/available.ts';
import { defaults, folderFor, program, start, write } from '../commands/loopback.ts';
import { freePort } from '../ports.ts';
import { httpClient, httpServer, type Logged, tcpClient, tcpServer } from './conversations.ts';

const conversationsAtOnce = 24;
const conversations = 160;
const firstSeed = Number(process.env['EVERGATE_TORTURE_SEED'] ?? 1);
const seconds = Number(process.env['EVERGATE_TORTURE_SECONDS'] ?? 0);
/** What takes as long is stuck, and no timeout of the configuration (20 s) has ended it. */
const conversationMsMax = 10_000;
/** In mode http a server that answers and resets while it is sent to: once in some ten times a reset was missed on io_uring. */
const trickySeed = 10_005;
const trickyTimes = 40;

async function serve(t: TestContext, conversation: (socket: Socket) => Promise<void>, failures: string[]) {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    conversation(socket).catch((error: Error) => failures.push(`server: ${error.message}`));
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  t.after(end);
  return { port: (server.address() as AddressInfo).port, end };
}

function descriptors(pid: number): { sockets: number; pipes: number } {
  const count = { sockets: 0, pipes: 0 };
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    try {
      const what = readlinkSync(`/proc/${pid}/fd/${fd}`);
      if (what.startsWith('socket:')) count.sockets++;
      else if (what.startsWith('pipe:')) count.pipes++;
    } catch {
      // It was closed meanwhile.
    }
  }
  return count;
}

async function torture(t: TestContext, io: string, mode: 'tcp' | 'http'): Promise<void> {
  const failures: string[] = [];
  const server = await serve(t, mode === 'tcp' ? tcpServer : httpServer, failures);
  const port = await freePort();
  const file = write(
    folderFor(t),
    'haproxy.cfg',
    `global\n nbthread 2\n description ready for the test\n log stdout format raw local0\n${defaults}
listen it\n mode ${mode}\n log global\n log-format "bytes %cp %B %U %ts"\n bind 127.0.0.1:${port}\n server s 127.0.0.1:${server.port}\n`,
  );
  const balancer = start(t, program, ['balance', '-f', file, '--io', io]);
  await balancer.said(/ready for the test/);
  const before = descriptors(balancer.pid);
  const expected: Logged[] = [];
  const latest = performance.now() + seconds * 1000;
  let seed = firstSeed;
  const goesOn = () => (seconds > 0 ? performance.now() < latest : seed < firstSeed + conversations);
  const converse = mode === 'tcp' ? tcpClient : httpClient;
  const one = async (goesOn: () => boolean, next: () => number): Promise<void> => {
    while (goesOn() && failures.length === 0) {
      const own = next();
      const stuck = new AbortController();
      const tooLong = pause(conversationMsMax, 'stuck' as const, { signal: stuck.signal }).catch(() => undefined);
      try {
        const logged = await Promise.race([converse(port, own), tooLong]);
        if (logged === 'stuck') throw new Error('stuck');
        if (logged !== undefined) expected.push(logged);
      } catch (error) {
        failures.push(`seed ${own}: ${(error as Error).message}`);
      }
      stuck.abort();
    }
  };
  let tricky = 0;
  await one(
    () => tricky < trickyTimes,
    () => {
      tricky++;
      return trickySeed;
    },
  );
  await Promise.all(Array.from({ length: conversationsAtOnce }, () => one(goesOn, () => seed++)));
  assert.deepEqual(failures, []);
  t.diagnostic(`${seed - firstSeed} conversations`);
  const lines = expected.map(({ port: own, down, up }) => `bytes ${own} ${down} ${up} --`);
  for (;;) {
    const logged = new Set(balancer.output().split('\n'));
    const missing = lines.find((line) => !logged.has(line));
    if (missing === undefined) break;
    await balancer.said(new RegExp(`^${missing}$`, 'm'));
  }
  // What rests in the pool ends with the server; pipes are kept for use again, a few a worker.
  server.end();
  const ended = performance.now() + conversationMsMax;
  const pipesKept = 2 * 2 * 4;
  for (;;) {
    const now = descriptors(balancer.pid);
    if (now.sockets <= before.sockets && now.pipes <= before.pipes + pipesKept) break;
    assert.ok(performance.now() < ended, `left: ${JSON.stringify(now)}, before: ${JSON.stringify(before)}`);
    await pause(20);
  }
}

for (const io of ['uring', 'net'])
  for (const mode of ['tcp', 'http'] as const)
    test(
      `${io}, mode ${mode}: every byte of every conversation`,
      {
        skip: io === 'uring' ? (uringAvailable() ?? false) : false,
        timeout: 60_000 + seconds * 1000,
      },
      (t) => torture(t, io, mode),
    );
