/**
 * The same servers checked by HAProxy and by us, live on loopback: the same messages. Only durations may differ, and the order in which
 * servers that fail at the same time are told; within one server the order is the same. Not compared: an interim answer (100 Continue), which
 * HAProxy 2.6 takes for the final one against RFC 9110 §15.2.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { backendPlan, balancerPlan, plainCheck } from '../../../test/fixtures/balancer-plan.ts';
import { needs } from '../../../test/requirements.ts';
import { realClock, systemRandom } from '../../adapters/clock.ts';
import { netStreams } from '../../adapters/net.ts';
import { ascii } from '../../core/http1/bytes.ts';
import type { BackendPlan, CheckExpectation, ServerPlan } from '../../plan/balancer.ts';
import { createBoard } from '../board.ts';
import { Checker } from '../checker.ts';

/** What a server does with the bytes of a check. */
type Behaviour = (socket: Socket) => void;

const behaviours: Readonly<Record<string, Behaviour>> = {
  fine: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello'),
  wrong: (socket) =>
    socket.end('HTTP/1.1 503 Service <Un>"available" \xe4\\\r\nContent-Length: 3\r\n\r\nbad', 'latin1'),
  noReason: (socket) => socket.end('HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n'),
  garbage: (socket) => socket.write('garbage\r\n\r\n'),
  closes: (socket) => socket.end(),
  resets: (socket) => socket.resetAndDestroy(),
  silent: () => {},
  short: (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhel'),
  chunked: (socket) =>
    socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n'),
  moved: (socket) => socket.end('HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n'),
};

interface Backend {
  readonly name: string;
  /** Names of behaviours; `gone` is a port where nobody listens. */
  readonly servers: readonly string[];
  readonly kind?: 'tcp';
  readonly loud?: true;
  readonly expect?: { readonly text: string; readonly plan: CheckExpectation };
  readonly backups?: readonly string[];
}

const expectation = (kind: CheckExpectation['kind'], pattern: string, negate = false): CheckExpectation => ({
  kind,
  pattern,
  negate,
  statuses: kind === 'status' ? [[Number(pattern), Number(pattern)]] : [],
});
const all = Object.keys(behaviours);
const backends: readonly Backend[] = [
  { name: 'plain', servers: [...all, 'gone'] },
  { name: 'loud', servers: [...all, 'gone'], loud: true },
  { name: 'tcp', servers: ['fine', 'gone', 'silent'], kind: 'tcp' },
  { name: 'spare', servers: ['gone'], backups: ['fine', 'wrong'] },
  { name: 'lost', servers: ['gone'], backups: ['wrong'] },
  { name: 'status', servers: all, expect: { text: 'status 302', plan: expectation('status', '302') } },
  { name: 'rstatus', servers: all, expect: { text: '! rstatus ^5', plan: expectation('rstatus', '^5', true) } },
  { name: 'string', servers: all, expect: { text: 'string hello', plan: expectation('string', 'hello') } },
  { name: 'rstring', servers: all, expect: { text: '! rstring hel+o', plan: expectation('rstring', 'hel+o', true) } },
];
const intervalMs = 600;

test('HAProxy tells the same about the same servers', { skip: needs('haproxy'), timeout: 60_000 }, async () => {
  await using house = await open();
  // Both are watched for the same time. Where the machine is busy one of them may get a check less done: a difference counts when it stays.
  for (let attempt = 1; ; attempt++) {
    const [expected, told] = await Promise.all([haproxyMessages(house.ports), ourMessages(house.ports)]);
    try {
      compare(expected, told);
      return;
    } catch (difference) {
      if (attempt === attemptsMax) throw difference;
    }
  }
});

const attemptsMax = 3;

function compare(expected: readonly string[], told: readonly string[]): void {
  for (const { name } of backends)
    for (const server of new Set(expected.flatMap((line) => serverOf(line, name)))) {
      const about = (lines: readonly string[]) => lines.filter((line) => serverOf(line, name).includes(server));
      assert.deepEqual(about(told).map(comparable), about(expected).map(comparable), `${name}/${server}`);
    }
  assert.deepEqual(told.map(comparable).sort(), expected.map(comparable).sort());
}

/** How many are left depends on who fails first; durations on the machine. */
function comparable(line: string): string {
  return line
    .replace(/check duration: \d+ms/, 'check duration: #ms')
    .replace(/\d+ active and \d+ backup/, '# active and # backup')
    .replace(' Running on backup.', '');
}

function serverOf(line: string, backend: string): string[] {
  const found = new RegExp(` ${backend}/(\\w+) `).exec(line);
  return found?.[1] === undefined ? [] : [found[1]];
}

async function open() {
  const ports: Record<string, number> = {};
  const servers = Object.entries(behaviours).map(([name, behaviour]) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => behaviour(socket));
    });
    return { name, server };
  });
  for (const { name, server } of servers) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ports[name] = (server.address() as AddressInfo).port;
  }
  const gone = createServer();
  await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
  ports['gone'] = (gone.address() as AddressInfo).port;
  await new Promise((resolve) => gone.close(resolve));
  return {
    ports,
    [Symbol.asyncDispose]: async () => {
      for (const { server } of servers) server.close();
    },
  };
}

/** First checks are spread over one interval and may last another. What comes after changes nothing, so longer would do no harm. */
const watchMs = 2 * intervalMs + 500;

async function haproxyMessages(ports: Readonly<Record<string, number>>): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-checks-'));
  const lines = [
    'global',
    '  log stdout format raw local0',
    'defaults',
    '  mode http',
    '  log global',
    '  timeout client 1s',
    '  timeout server 1s',
    '  timeout connect 1s',
  ];
  // HAProxy wants a listener, though nobody will come.
  lines.push(`  default-server inter ${intervalMs}`, 'frontend idle', `  bind unix@${folder}/idle`);
  for (const backend of backends) {
    lines.push(`backend ${backend.name}`);
    if (backend.kind === 'tcp') lines.push('  mode tcp');
    else lines.push('  option httpchk GET /');
    if (backend.loud) lines.push('  option log-health-checks');
    if (backend.expect !== undefined) lines.push(`  http-check expect ${backend.expect.text}`);
    for (const name of backend.servers) lines.push(`  server ${name} 127.0.0.1:${ports[name]} check`);
    for (const name of backend.backups ?? []) lines.push(`  server b_${name} 127.0.0.1:${ports[name]} check backup`);
  }
  writeFileSync(join(folder, 'haproxy.cfg'), `${lines.join('\n')}\n`);
  const haproxy = spawn('/usr/sbin/haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  haproxy.stdout.setEncoding('utf8').on('data', (text) => {
    output += text;
  });
  const ended = new Promise((resolve) => haproxy.once('exit', resolve));
  await new Promise((resolve) => setTimeout(resolve, watchMs));
  haproxy.kill('SIGKILL');
  await ended;
  rmSync(folder, { recursive: true });
  return output.split('\n').filter((line) => line !== '');
}

async function ourMessages(ports: Readonly<Record<string, number>>): Promise<string[]> {
  const plan = balancerPlan(backends.map((backend, index) => ({ ...planOf(backend, ports), index })));
  const messages: string[] = [];
  const checker = new Checker(
    createBoard(plan, 1, () => {}),
    {
      clock: realClock,
      streams: netStreams(),
      random: systemRandom(),
      message: (_backend, _level, text) => messages.push(text),
      sessionsToEnd: () => {},
    },
  );
  checker.start();
  await new Promise((resolve) => setTimeout(resolve, watchMs));
  checker.stop();
  return messages;
}

function planOf(backend: Backend, ports: Readonly<Record<string, number>>): BackendPlan {
  const check = {
    ...plainCheck,
    kind: backend.kind ?? ('http' as const),
    request: ascii('GET / HTTP/1.0\r\n\r\n'),
    expect: backend.expect?.plan,
    intervalMs,
    fastIntervalMs: intervalMs,
    downIntervalMs: intervalMs,
    connectTimeoutMs: intervalMs,
    responseTimeoutMs: intervalMs,
  };
  const server = (name: string, at: string): Partial<ServerPlan> => ({
    name,
    check,
    backup: name !== at,
    address: { family: 'ipv4', host: '127.0.0.1', port: ports[at] },
  });
  const servers = [
    ...backend.servers.map((name) => server(name, name)),
    ...(backend.backups ?? []).map((name) => server(`b_${name}`, name)),
  ];
  return backendPlan(servers, { name: backend.name, logHealthChecks: backend.loud ?? false });
}
