/** Findings between haproxy.cfg and keepalived.conf, with the trouble shown on real sockets; and those that no plan can be made of. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseKeepalived } from '../../src/config/keepalived/parse.ts';
import { buildVrrpPlan } from '../../src/plan/build-vrrp.ts';
import { findDuplicates } from '../../src/plan/explain/findings/duplicates.ts';
import { needs } from '../requirements.ts';
import { explained, findingNames, nodeOf, nodesOf, running, type Texts } from './files.ts';

const golden = new URL('../golden/explain/multicast/', import.meta.url);
const read = (name: string) => readFileSync(new URL(name, golden), 'utf8');
const sound: Texts = { lb1: read('lb1.conf'), lb2: read('lb2.conf'), haproxy: read('haproxy.cfg') };

function withHaproxy(from: string, to: string): Texts {
  const haproxy = sound['haproxy']!.replace(from, to);
  assert.notEqual(haproxy, sound['haproxy']);
  return { ...sound, haproxy };
}

function placeOf(texts: Texts, name: string): string {
  const found = explained(texts).findings.find(({ finding }) => finding === name);
  return found === undefined ? 'nowhere' : `${found.place.file}:${found.place.line}:${found.place.column}`;
}

async function listening(host: string): Promise<Server> {
  const server = createServer((socket) => socket.end());
  server.listen(0, host);
  await once(server, 'listening');
  return server;
}

async function connectError(port: number, host: string): Promise<string> {
  const socket = connect(port, host);
  const [error] = await once(socket, 'error');
  return error.code;
}

test('a sound haproxy.cfg: nothing is found', () => {
  assert.deepEqual(findingNames(sound), []);
  for (const bind of ['bind *:80', 'bind 0.0.0.0:80', 'bind :::80', 'bind 10.42.0.240:80 transparent'])
    assert.deepEqual(findingNames(withHaproxy('bind :80', bind)), [], bind);
});

test('address-not-bound: who binds to another address refuses connections to this one', async () => {
  const texts = withHaproxy('bind :80', 'bind 10.42.0.73:80');
  assert.deepEqual(findingNames(texts), ['address-not-bound']);
  assert.equal(placeOf(texts, 'address-not-bound'), 'lb1.conf:26:5');
  const server = await listening('127.0.0.2');
  const { port } = server.address() as { port: number };
  assert.equal(await connectError(port, '127.0.0.3'), 'ECONNREFUSED');
  server.close();
});

test('bind-to-virtual-address: a host cannot bind to an address that it does not have', {
  skip: needs('linux'),
}, async () => {
  const texts = withHaproxy('bind :80', 'bind 10.42.0.240:80');
  assert.deepEqual(findingNames(texts), ['bind-to-virtual-address']);
  assert.equal(placeOf(texts, 'bind-to-virtual-address'), 'haproxy.cfg:8:10');
  const nonlocal = readFileSync('/proc/sys/net/ipv4/ip_nonlocal_bind', 'utf8').trim();
  const server = createServer();
  server.listen(0, '203.0.113.240');
  const outcome = await Promise.race([
    once(server, 'error').then(([error]) => error.code),
    once(server, 'listening').then(() => 'listens'),
  ]);
  assert.equal(outcome, nonlocal === '1' ? 'listens' : 'EADDRNOTAVAIL');
  server.close();
});

test('server-is-virtual-address: the balancer asks itself until it gives up', { timeout: 30_000 }, async () => {
  const texts = withHaproxy('10.42.0.135:80', '10.42.0.240:80');
  assert.deepEqual(findingNames(texts), ['server-is-virtual-address']);
  assert.equal(placeOf(texts, 'server-is-virtual-address'), 'haproxy.cfg:12:16');
  const holder = await listening('127.0.0.1');
  const { port } = holder.address() as { port: number };
  holder.close();
  await once(holder, 'close');
  const folder = mkdtempSync(join(tmpdir(), 'explain-'));
  const file = join(folder, 'haproxy.cfg');
  const limits = 'timeout connect 1s\n timeout client 2s\n timeout server 500ms\n maxconn 20\n';
  writeFileSync(
    file,
    `defaults\n mode http\n ${limits}\nlisten web\n bind 127.0.0.1:${port}\n server self 127.0.0.1:${port}\n`,
  );
  const main = new URL('../../src/main.ts', import.meta.url).pathname;
  const balancer = spawn(process.execPath, [main, 'balance', '-f', file, '--io', 'net'], { stdio: 'ignore' });
  try {
    const response = await untilAnswered(`http://127.0.0.1:${port}/`);
    assert.ok(response.status >= 500, `${response.status}`);
  } finally {
    balancer.kill('SIGTERM');
    await once(balancer, 'exit');
    rmSync(folder, { recursive: true });
  }
});

/** The first answer of any kind: until it listens connections are refused. */
async function untilAnswered(url: string): Promise<Response> {
  for (;;) {
    try {
      const response = await fetch(url, { headers: { connection: 'close' } });
      await response.arrayBuffer();
      return response;
    } catch (error) {
      if ((error as { cause?: { code?: string } }).cause?.code !== 'ECONNREFUSED') throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

test('other-process-tracked: the check goes on succeeding when the balancer is dead', () => {
  const check = 'killall -0 mysqld';
  const changed = (text: string) => text.replace(/"\/usr\/bin\/curl.*"/, `"${check}"`);
  const texts = { ...sound, lb1: changed(sound['lb1']!), lb2: changed(sound['lb2']!) };
  assert.ok(findingNames(texts).includes('other-process-tracked'));
  assert.equal(placeOf(texts, 'other-process-tracked'), 'lb1.conf:8:5');
  const cluster = running(nodesOf(texts), 'keepalived');
  cluster.run(30_000);
  cluster.setBalancer('lb1', 'dead');
  cluster.run(60_000);
  assert.deepEqual(cluster.active('web'), ['lb1']);
});

test('duplicate-virtual-router-id: an instance follows the other one and is not where its priority says', () => {
  const second = (priority: number) =>
    read('lb1.conf')
      .slice(read('lb1.conf').indexOf('vrrp_instance'))
      .replace('web', 'second')
      .replace('10.42.0.240', '10.42.0.241')
      .replace('priority 110', `priority ${priority}`);
  const text = `${sound['lb1']}${second(90)}`;
  const { config } = parseKeepalived([{ path: 'lb1.conf', text }], { configId: 'lb1', readFiles: () => [] });
  const { diagnostics } = buildVrrpPlan(config, { hostname: 'lb1' });
  const found = findDuplicates(config, diagnostics);
  assert.deepEqual(
    found.map(({ finding, place }) => [finding, place.line]),
    [['duplicate-virtual-router-id', 36]],
  );

  // No plan is made of such a file, so the instances of two files are put together.
  const node = (name: string, id: number, priorities: readonly [number, number]) => {
    const first = nodeOf(name, sound['lb1']!.replace('priority 110', `priority ${priorities[0]}`));
    const other = nodeOf(
      name,
      second(priorities[1])
        .replace('router_id 51', `router_id ${id}`)
        .replace(/ {4}track_script[\s\S]*?\}\n/, ''),
    );
    return { ...first, plan: { ...first.plan, routers: [...first.plan.routers, ...other.plan.routers] } };
  };
  const active = (id: number) => {
    const cluster = running([node('lb1', id, [110, 90]), node('lb2', id, [90, 105])], 'evergate');
    cluster.run(60_000);
    return [cluster.active('web'), cluster.active('second')];
  };
  assert.deepEqual(active(52), [['lb1'], ['lb2']]);
  assert.notDeepEqual(active(51), [['lb1'], ['lb2']]);
});
