/**
 * The same requests to HAProxy and to our algorithms: the same server each time. HAProxy runs on loopback in front of small servers that tell
 * who they are; ours computes. Requests come one after the other, so that loads are equal.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type FakeServer, FakeServers } from '../../../test/fixtures/balance-servers.ts';
import { needs } from '../../../test/requirements.ts';
import type { BalanceChoice } from './create.ts';
import { BalanceKey, type KeyChoice } from './key.ts';

interface Case {
  readonly balance: string;
  readonly hashType?: string;
  readonly choice: Partial<BalanceChoice> & Partial<KeyChoice>;
  readonly servers: readonly FakeServer[];
  readonly options?: string;
  readonly allBackups?: boolean;
  /** All requests go to one server: backups without allbackups, nobody full, or (127.0.0.0/8 is a small part of the ring) neighbouring addresses. */
  readonly oneServer?: true;
}

const even = [{}, {}, {}];
const uneven = [{ weight: 3 }, { weight: 10 }, { weight: 6 }, { weight: 1 }];
const consistent = { hashMethod: 'consistent' as const };

const cases: readonly Case[] = [
  { balance: 'roundrobin', choice: { algorithm: 'roundrobin' }, servers: even },
  { balance: 'roundrobin', choice: { algorithm: 'roundrobin' }, servers: uneven },
  {
    balance: 'roundrobin',
    choice: { algorithm: 'roundrobin' },
    servers: [{ weight: 100 }, { weight: 7 }, { weight: 0 }, { weight: 13 }],
  },
  {
    balance: 'roundrobin',
    choice: { algorithm: 'roundrobin' },
    servers: [{ weight: 0 }, { backup: true }, { backup: true }],
    oneServer: true,
  },
  {
    balance: 'roundrobin',
    choice: { algorithm: 'roundrobin' },
    servers: [{ weight: 0 }, { backup: true, weight: 2 }, { backup: true }],
    options: 'option allbackups',
    allBackups: true,
  },
  { balance: 'static-rr', choice: { algorithm: 'static-rr' }, servers: uneven },
  { balance: 'leastconn', choice: { algorithm: 'leastconn' }, servers: even },
  { balance: 'leastconn', choice: { algorithm: 'leastconn' }, servers: uneven },
  { balance: 'first', choice: { algorithm: 'first' }, servers: [{ id: 7 }, { id: 3 }, { id: 5 }], oneServer: true },
  { balance: 'source', choice: { algorithm: 'source' }, servers: uneven },
  {
    balance: 'source',
    hashType: 'consistent sdbm',
    choice: { algorithm: 'source', ...consistent },
    servers: uneven,
    oneServer: true,
  },
  {
    balance: 'source',
    hashType: 'map-based sdbm avalanche',
    choice: { algorithm: 'source', hashAvalanche: true },
    servers: even,
  },
  { balance: 'uri whole', choice: { algorithm: 'uri', uriWhole: true }, servers: uneven },
  { balance: 'uri len 9', choice: { algorithm: 'uri', uriLength: 9 }, servers: uneven },
  { balance: 'uri depth 2', choice: { algorithm: 'uri', uriDepth: 2 }, servers: uneven },
  { balance: 'uri path-only', choice: { algorithm: 'uri', uriPathOnly: true }, servers: uneven },
  { balance: 'hdr(X-Key)', choice: { algorithm: 'hdr', headerName: 'X-Key' }, servers: uneven },
  {
    balance: 'hdr(X-Key)',
    hashType: 'consistent sdbm',
    choice: { algorithm: 'hdr', headerName: 'X-Key', ...consistent },
    servers: uneven,
  },
  {
    balance: 'hdr(X-Key) use_domain_only',
    choice: { algorithm: 'hdr', headerName: 'X-Key', headerDomainOnly: true },
    servers: uneven,
  },
  // A request without the field gets its server by turns.
  { balance: 'hdr(X-None)', choice: { algorithm: 'hdr', headerName: 'X-None' }, servers: uneven },
  {
    balance: 'hdr(X-None)',
    hashType: 'consistent sdbm',
    choice: { algorithm: 'hdr', headerName: 'X-None', ...consistent },
    servers: uneven,
  },
  // Without a function, consistent hashing has the avalanche modifier (as HAProxy's parser sets it).
  {
    balance: 'uri',
    hashType: 'consistent',
    choice: { algorithm: 'uri', ...consistent, hashAvalanche: true },
    servers: uneven,
  },
  ...(['map-based', 'consistent'] as const).flatMap((hashMethod) =>
    (['sdbm', 'djb2', 'wt6', 'crc32'] as const).flatMap((hashFunction) =>
      [false, true].map((hashAvalanche) => ({
        balance: 'uri',
        hashType: `${hashMethod} ${hashFunction}${hashAvalanche ? ' avalanche' : ''}`,
        choice: { algorithm: 'uri' as const, hashMethod, hashFunction, hashAvalanche },
        servers: [{ weight: 5 }, { weight: 2, id: 77 }, { weight: 8 }, {}, { weight: 0 }],
      })),
    ),
  ),
];

const skip = needs('haproxy');
const folder = skip === false ? mkdtempSync(join(tmpdir(), 'evergate-balance-')) : '';
const servers: Server[] = [];
let haproxy: ReturnType<typeof spawn> | undefined;
let firstPort = 0;

before(async () => {
  if (skip !== false) return;
  const most = Math.max(...cases.map((each) => each.servers.length));
  for (let index = 0; index < most; index++) {
    const server = createServer((_, response) => response.end(String(index)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
  }
  firstPort = await freePorts(cases.length);
  writeFileSync(join(folder, 'haproxy.cfg'), configuration());
  haproxy = spawn('/usr/sbin/haproxy', ['-db', '-f', join(folder, 'haproxy.cfg')], { stdio: 'ignore' });
  const died = new Promise<never>((_, reject) =>
    haproxy?.once('exit', (code) => reject(new Error(`haproxy ended: ${code}`))),
  );
  died.catch(() => {}); // it is meant to end, later
  await Promise.race([listening(firstPort + cases.length - 1), died]);
});

after(() => {
  haproxy?.kill('SIGKILL');
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  if (folder !== '') rmSync(folder, { recursive: true });
});

function configuration(): string {
  const lines = [
    'global',
    '  nbthread 1',
    'defaults',
    '  mode http',
    '  timeout client 5s',
    '  timeout server 5s',
    '  timeout connect 5s',
  ];
  cases.forEach((each, index) => {
    lines.push(`listen case${index}`, `  bind 127.0.0.1:${firstPort + index}`, `  balance ${each.balance}`);
    if (each.hashType !== undefined) lines.push(`  hash-type ${each.hashType}`);
    if (each.options !== undefined) lines.push(`  ${each.options}`);
    each.servers.forEach((server, at) => {
      const { port } = servers[at].address() as AddressInfo;
      const words = [`weight ${server.weight ?? 1}`];
      if (server.id !== undefined) words.push(`id ${server.id}`);
      if (server.backup) words.push('backup');
      lines.push(`  server s${at} 127.0.0.1:${port} ${words.join(' ')}`);
    });
  });
  return `${lines.join('\n')}\n`;
}

cases.forEach((each, index) => {
  test(`HAProxy chooses the same: balance ${each.balance} ${each.hashType ?? ''} #${index}`, { skip }, async () => {
    const fake = new FakeServers(each.choice, each.servers, each.allBackups ?? false);
    const key = new BalanceKey({ ...plainKey, ...each.choice });
    const theirs: number[] = [];
    const ours: number[] = [];
    for (let turn = 0; turn < 60; turn++) {
      const target = `/${['img', 'a', 'user'][turn % 3]}/${Math.trunc(turn / 4)}/p${turn}?q=${turn * 7}`;
      const field = ['www.example', 'shop', 'a.b.test'][turn % 3] + `${turn}.org`;
      const source = `127.0.${turn % 5}.${turn + 1}`;
      theirs.push(Number(await get(firstPort + index, target, field, source)));
      const server = fake.pick(hash(key, target, field, source));
      fake.take(server);
      fake.release(server);
      ours.push(server);
    }
    assert.deepEqual(ours, theirs);
    assert.equal(new Set(theirs).size === 1, each.oneServer === true);
  });
});

const plainKey: KeyChoice = {
  algorithm: 'roundrobin',
  uriWhole: false,
  uriLength: 0,
  uriDepth: 0,
  uriPathOnly: false,
  headerName: '',
  headerDomainOnly: false,
  hashFunction: 'sdbm',
  hashAvalanche: false,
};

function hash(key: BalanceKey, target: string, field: string, source: string): number {
  if (key.kind === 'source') return key.hashAddress(source);
  const value = new TextEncoder().encode(key.kind === 'uri' ? target : key.headerName === 'x-key' ? field : '');
  return key.hash(value, 0, value.length);
}

function get(port: number, path: string, field: string, localAddress: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, path, localAddress, headers: { 'X-Key': field }, agent: false };
    request(options, (response) => {
      response.setEncoding('utf8').on('data', resolve);
    })
      .on('error', reject)
      .end();
  });
}

/** The first of `count` free ports in a row. */
async function freePorts(count: number): Promise<number> {
  for (;;) {
    const probes = [await listen(0)];
    const first = (probes[0].address() as AddressInfo).port;
    let free = first + count < 65_536;
    for (let port = first + 1; free && port < first + count; port++)
      await listen(port).then(
        (probe) => probes.push(probe),
        () => {
          free = false;
        },
      );
    await Promise.all(probes.map((probe) => new Promise((resolve) => probe.close(resolve))));
    if (free) return first;
  }
}

function listen(port: number): Promise<ReturnType<typeof createTcpServer>> {
  return new Promise((resolve, reject) => {
    const probe = createTcpServer();
    probe.once('error', reject).listen(port, '127.0.0.1', () => resolve(probe));
  });
}

/** Resolves once someone listens there. */
async function listening(port: number): Promise<void> {
  for (;;) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => setTimeout(resolve, 20, false));
    });
    if (open) return;
  }
}
