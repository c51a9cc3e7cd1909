/**
 * The death of a web server costs clients no failed request: the seed's configuration, real processes, 200 new connections a second
 * and kept ones, while servers are killed, frozen for a moment and started again.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { uringAvailable } from '../../src/adapters/uring/available.ts';
import { defaultLoad, Load } from '../../src/lab/prober/load.ts';
import type { ProbeRecord } from '../../src/lab/prober/outage.ts';
import { freePorts } from '../ports.ts';
import { needs } from '../requirements.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

for (const io of ['net', 'uring'] as const) {
  const skip = needs('linux') || (io === 'uring' ? (uringAvailable() ?? false) : false);
  describe(`no failed request, --io=${io}`, { skip }, () => {
    test('when a server is killed and started again', { timeout: 60_000 }, () =>
      run(io, async (stage) => {
        stage.servers[1]!.kill('SIGKILL');
        await pause(1_500);
        await stage.start(1);
        await pause(500);
        stage.servers[0]!.kill('SIGKILL');
        await pause(1_000);
      }),
    );

    test('when a second of three servers is killed before the checks have noticed the first', { timeout: 60_000 }, () =>
      run(io, async (stage) => {
        stage.servers[0]!.kill('SIGKILL');
        await pause(300);
        stage.servers[1]!.kill('SIGKILL');
        await pause(1_000);
      }),
    );

    test('when a server ends in an orderly way and closes its kept connections', { timeout: 60_000 }, () =>
      run(io, async (stage) => {
        for (const index of [0, 1]) {
          stage.servers[index]!.kill('SIGTERM');
          await pause(300);
          await stage.start(index);
          await pause(300);
        }
      }),
    );
  });
}

interface Stage {
  readonly servers: ChildProcess[];
  start(index: number): Promise<void>;
}

async function run(io: string, events: (stage: Stage) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-server-death-'));
  const children: ChildProcess[] = [];
  const log: string[] = [];
  const receiver = createSocket('udp4', (message) => log.push(message.toString('latin1')));
  receiver.bind(0, '127.0.0.1');
  await once(receiver, 'listening');
  try {
    const [front = 0, ...ports] = await freePorts(4);
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, configuration(front, ports, receiver.address().port));
    const servers: ChildProcess[] = [];
    const stage: Stage = {
      servers,
      async start(index) {
        const child = spawn(process.execPath, [path('./web-process.ts'), String(ports[index])], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        children.push(child);
        servers[index] = child;
        await once(child.stdout, 'data');
      },
    };
    for (const index of ports.keys()) await stage.start(index);
    children.push(
      spawn(path('../../bin/evergate'), ['balance', `--io=${io}`, '-f', file], {
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    );
    await accepting(front);
    const records: ProbeRecord[] = [];
    const load = new Load(
      { ...defaultLoad, host: '127.0.0.1', port: front, kept: 8, keptPerSecond: 25, patienceMs: 5_000 },
      { record: (record) => records.push(record), stall: () => {}, keptClosed: () => {} },
    );
    load.start();
    await pause(700);
    await events(stage);
    await load.stop();
    const failed = records.filter((record) => record.outcome !== 'ok');
    const suspects = log.filter((line) => !/ (---- |200 )/.test(line) || / 50\d /.test(line));
    assert.ok(records.length > 300, `only ${records.length} requests were made`);
    const tally = failed.map(({ kind, outcome, status }) => `${kind} ${outcome} ${status}`).join('\n');
    assert.equal(failed.length, 0, `${records.length} requests, failed:\n${tally}\n${suspects.slice(-20).join('\n')}`);
  } finally {
    for (const child of children) child.kill('SIGKILL');
    receiver.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The example's file, which is the seed's, with ports of this machine. */
function configuration(front: number, ports: readonly number[], log: number): string {
  let text = readFileSync(path('../../examples/haproxy.cfg'), 'utf8')
    .replace('0.0.0.0:80', `127.0.0.1:${front}`)
    .replace(/log 127\.0\.0\.1 /g, `log 127.0.0.1:${log} `);
  for (const [index, port] of ports.entries())
    text = text.replace(new RegExp(`(server server${index + 1}) \\S+`), `$1 127.0.0.1:${port}`);
  return text;
}

async function accepting(port: number): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt++) {
    const socket = connect(port, '127.0.0.1');
    const [event] = await Promise.race([
      once(socket, 'connect').then(() => ['connect']),
      once(socket, 'error').then(() => ['error']),
    ]).catch(() => ['error']);
    socket.destroy();
    if (event === 'connect') return;
    await pause(25);
  }
  assert.fail('the balancer does not accept connections');
}
