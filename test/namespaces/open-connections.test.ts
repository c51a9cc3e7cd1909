/** Connections that are open when the address moves between two living nodes: nobody answers them with a reset, and all of them go on where they began. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { VrrpReport } from '../../src/engine/failover/control-report.ts';
import { crash, startDaemon, stop } from '../interop/daemons.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { type Program, type TestHost, TestLab } from './lab.ts';

const until = (condition: () => boolean, what: string) => untilWithin(condition, 20_000, what);

const skip = needs('linux', 'root', 'namespaces', 'ip', 'nft');
const evergate = fileURLToPath(new URL('../../bin/evergate', import.meta.url));

const families = {
  IPv4: { virtual: '10.42.0.240', prefix: 24, own: ['10.42.0.73', '10.42.0.38', '10.42.0.9'], words: '' },
  IPv6: {
    virtual: 'fd00::240',
    prefix: 64,
    own: ['fd00::73', 'fd00::38', 'fd00::9'],
    words: 'native_ipv6\n  version 3',
  },
} as const;
type Family = (typeof families)[keyof typeof families];

const configuration = ({ virtual, prefix, words }: Family, priority: number) => `vrrp_instance VI_1 {
  interface eth0
  state BACKUP
  virtual_router_id 51
  priority ${priority}
  advert_int 1
  ${words}
  virtual_ipaddress {
    ${virtual}/${prefix}
  }
}
`;

/** Answers each block that it gets with its name and the same block. */
const server = (name: string) => `require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.on('data', (data) => socket.write(data));
  socket.write('${name.padEnd(8)}');
}).listen(80, '::');`;

/**
 * One connection that lives, with blocks of 64 KiB there and back without an end, and a new one every 50 ms. Prints a line for each block and
 * for each new connection: who answers.
 */
const client = (address: string) => `const net = require('node:net');
const open = (kind, each) => {
  let name = '', left = 65536;
  const socket = net.connect(80, '${address}');
  socket.on('error', (error) => console.log(kind, 'broken', error.code));
  socket.on('data', (data) => {
    if (name === '') { name = data.subarray(0, 8).toString().trim(); data = data.subarray(8); socket.write(Buffer.alloc(65536)); }
    left -= data.length;
    if (left > 0) return;
    left += 65536;
    console.log(kind, name);
    each(socket);
  });
};
const live = (kind) => open(kind, (socket) => setTimeout(() => socket.write(Buffer.alloc(65536)), 10));
live('old');
setInterval(() => open('new', (socket) => socket.destroy()), 50);
process.on('SIGUSR1', () => live('late'));`;

async function cluster(t: TestContext, family: Family, kind: 'evergate' | 'keepalived' = 'evergate') {
  const lab = await TestLab.create();
  t.after(() => lab.close());
  const hosts: TestHost[] = [];
  for (const own of family.own) hosts.push(await lab.host([`${own}/${family.prefix}`]));
  const [first, second, visitor] = hosts as [TestHost, TestHost, TestHost];
  first.start([process.execPath, '-e', server('first')]);
  second.start([process.execPath, '-e', server('second')]);
  const one = await daemon(first, 'evergate', configuration(family, 101), /Entering MASTER STATE/);
  const two = await daemon(second, kind, configuration(family, 100), /Entering BACKUP STATE/);
  if (kind === 'evergate') await until(() => watches(second), 'a session between the two');
  const clients = visitor.start([process.execPath, '-e', client(family.virtual)]);
  await clients.printed(/new first/);
  await goesOn(clients, 'old first', 0);
  return { first, second, visitor, one, two, clients };
}

async function daemon(host: TestHost, kind: 'evergate' | 'keepalived', text: string, state: RegExp): Promise<Program> {
  host.write('/run/keepalived.conf', text);
  const program = startDaemon(kind, host, '/run/keepalived.conf');
  await program.printed(state);
  return program;
}

function ask(host: TestHost, ...words: string[]): void {
  const { status, stdout, stderr } = spawnSync('nsenter', [...host.enter, evergate, ...words], { encoding: 'utf8' });
  assert.equal(status, 0, stdout + stderr);
}

/** Does it follow a router that it has a session with? */
function watches(host: TestHost): boolean {
  const { stdout } = spawnSync('nsenter', [...host.enter, evergate, 'status', '--json'], { encoding: 'utf8' });
  const { vrrp } = JSON.parse(stdout) as { vrrp: VrrpReport };
  return vrrp.routers[0]!.neighbours[0]?.watched === true;
}

/** Twenty blocks of 64 KiB there and back from there on: far more than what may be under way. */
function goesOn(clients: Program, line: string, from: number): Promise<void> {
  return until(() => clients.output.slice(from).split(line).length > 20, line);
}

const tables = (host: TestHost) => host.run('nft list tables');
const hardwareAddress = (host: TestHost) => /link\/ether (\S+)/.exec(host.run('ip link show eth0'))?.[1];
const neighbour = (host: TestHost, address: string) => /lladdr (\S+)/.exec(host.run(`ip neigh show ${address}`))?.[1];

for (const [name, family] of Object.entries(families))
  test(`${name}: a hand-over and the way back: no connection breaks`, { skip, timeout: 120_000 }, async (t) => {
    const { first, second, visitor, one, two, clients } = await cluster(t, family);
    const session = /Keeping open connections/;
    ask(first, 'handover');
    await one.printed(session);
    assert.equal(first.holds(family.virtual), false, 'it is on the loopback only');
    await clients.printed(/new second/);
    let from = clients.output.length;
    await goesOn(clients, 'old first', from);
    assert.equal(neighbour(visitor, family.virtual), hardwareAddress(second), 'whoever keeps connections stays silent');

    // Back before it is over: each connection goes on where it began.
    clients.signal('SIGUSR1');
    await clients.printed(/late second/);
    ask(first, 'resume');
    await until(() => first.holds(family.virtual) && !second.holds(family.virtual), 'the address is back');
    from = clients.output.length;
    await clients.printed(/new first/, 10_000, from);
    await goesOn(clients, 'old first', from);
    await goesOn(clients, 'late second', from);
    assert.equal(neighbour(visitor, family.virtual), hardwareAddress(first));
    assert.doesNotMatch(clients.output, /broken/);

    // Nothing stays behind.
    await until(() => tables(first) + tables(second) === '', 'the tables are gone');
    await until(() => !second.run('ip -o addr show dev lo').includes(family.virtual), 'nothing is kept any more');
    assert.equal(await stop(two), 0);
    assert.equal(await stop(one), 0);
  });

test('a connection that ended while the address was away is nobody’s any more', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const { first, second, one, clients } = await cluster(t, families.IPv4);
  const begunHere = () => first.run('nft list set ip evergate_VI_5f_1 begun_here');
  const from = clients.output.length;
  ask(first, 'handover');
  await clients.printed(/new second/, 10_000, from);
  clients.signal('SIGKILL');
  await clients.ended;
  await until(() => tables(first) === '', 'nothing is kept any more');
  const back = one.output.length;
  ask(first, 'resume');
  await one.printed(/Open connections go on/, 10_000, back);
  assert.doesNotMatch(begunHere(), /elements/);
  assert.equal(second.holds(families.IPv4.virtual), false);
});

test('a daemon that is stopped keeps connections for a second, and then nothing is passed on', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const { first, second, one, clients } = await cluster(t, families.IPv4);
  const ended = stop(one);
  await clients.printed(/new second/);
  await clients.printed(/old first/, 10_000, clients.output.length);
  assert.equal(await ended, 0);
  assert.doesNotMatch(first.run('ip -o addr show'), /10\.42\.0\.240/);
  await until(() => tables(second) === '', 'the table is gone');
});

test('a daemon that is killed takes its tables along', { skip, timeout: 60_000 }, async (t) => {
  const { first, second, one, two, clients } = await cluster(t, families.IPv4);
  ask(first, 'handover');
  await clients.printed(/new second/);
  assert.match(tables(first), /arp/);
  assert.match(tables(second), /ip /);
  crash(one);
  crash(two);
  await until(() => tables(first) + tables(second) === '', 'the tables are gone');
});

test('nothing is kept for, nor passed on to, a Keepalived', { skip, timeout: 60_000 }, async (t) => {
  const { first, second, clients } = await cluster(t, families.IPv4, 'keepalived');
  ask(first, 'handover');
  await clients.printed(/new second/);
  await clients.printed(/old broken ECONNRESET/);
  assert.equal(tables(first) + tables(second), '');
});
