/**
 * A neighbour that sends damaged, forged and foreign packets: each kind is counted as Keepalived counts it, said once, and changes nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { complement, onesSum, pseudoHeaderSum } from '../../src/core/vrrp/checksum.ts';
import { encodeAdvertisement } from '../../src/core/vrrp/packet.ts';
import { settingsWith, virtualAddress } from '../../src/core/vrrp/test-settings.ts';
import { type Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { type Kind, startDaemon, stop } from './daemons.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip', 'keepalived');
const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));
/** In rounds, each small enough that the kernel's buffer holds it, however late the daemon reads. */
const rounds = 5;
const virtual = '10.42.0.51';
const envelope = { source: '10.42.0.38', destination: '224.0.0.18' };

interface Attack {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly ttl?: number;
  /** What the log says, once. Absent: not meant for this router, and not worth a word. */
  readonly said?: RegExp;
}

const base = { priority: 100, virtualRouterId: 51, addresses: [virtualAddress(virtual)] };
const password = { kind: 'pass', password: 'secret12' } as const;
const advertisement = (changes: Parameters<typeof settingsWith>[0], priority = 250) =>
  encodeAdvertisement(settingsWith({ ...base, ...changes }), priority, envelope);

/** The same packet with some bytes replaced, and a checksum that is right again. */
function altered(bytes: Uint8Array, changes: Record<number, number>): Uint8Array {
  const copy = Uint8Array.from(bytes);
  for (const [at, value] of Object.entries(changes)) copy[Number(at)] = value;
  copy.fill(0, 6, 8);
  const start = copy[0]! >> 4 === 3 ? pseudoHeaderSum(envelope.source, envelope.destination, copy.length) : 0;
  const checksum = complement(onesSum(copy, 0, copy.length, start));
  copy.set([checksum >> 8, checksum & 255], 6);
  return copy;
}

function attacks(version: 2 | 3): readonly Attack[] {
  const right = { version, ...(version === 2 ? { authentication: password } : {}) };
  const sound = advertisement(right);
  const long = new Uint8Array(1400).fill(0xff);
  long.set(sound);
  const common: readonly Attack[] = [
    { name: 'one byte', bytes: sound.subarray(0, 1) },
    { name: 'half a header', bytes: sound.subarray(0, 6), said: /too short/i },
    { name: 'cut off', bytes: sound.subarray(0, sound.length - 4), said: /too short/i },
    { name: 'more addresses than bytes', bytes: altered(sound, { 3: 200 }), said: /too short/i },
    { name: 'longer than any real one', bytes: long, said: /too (short|long)/i },
    { name: 'damaged', bytes: Uint8Array.from(sound, (byte, at) => (at === 6 ? byte ^ 255 : byte)), said: /checksum/i },
    { name: 'from afar', bytes: sound, ttl: 254, said: /TTL/ },
    { name: 'another type', bytes: altered(sound, { 0: (version << 4) | 2 }), said: /type/i },
    { name: 'another version', bytes: advertisement({ version: version === 2 ? 3 : 2 }), said: /version/i },
    { name: 'another router', bytes: advertisement({ ...right, virtualRouterId: 52 }) },
  ];
  if (version === 3) return common;
  return [
    ...common,
    {
      name: 'another password',
      bytes: advertisement({ version, authentication: { kind: 'pass', password: 'x' } }),
      said: /passwd/,
    },
    { name: 'no password', bytes: advertisement({ version }), said: /auth/i },
    { name: 'unknown authentication', bytes: altered(sound, { 4: 7 }), said: /auth/i },
    { name: 'another interval', bytes: altered(sound, { 5: 3 }), said: /interval/i },
  ];
}

for (const version of [2, 3] as const)
  test(`hostile packets of version ${version} are counted, said once, and ignored`, {
    skip,
    timeout: 90_000,
  }, async () => {
    const list = attacks(version);
    const [ours, theirs] = await Promise.all([
      attacked('evergate', version, list),
      attacked('keepalived', version, list),
    ]);
    assert.equal(comparable(ours.statistics), comparable(theirs.statistics));
    const short = list.filter(({ said }) => said?.test('too short') === true).length;
    // And the one byte, which could be for any router of this interface.
    assert.match(ours.statistics, new RegExp(`Length: ${rounds * (short + 1)}\n`));
    if (version === 2) assert.match(ours.statistics, new RegExp(`Advertisement Interval: ${rounds}\n`));
    assert.match(ours.statistics, /Became master: 1\n {2}Released master: 0\n/);
    const said = ours.output.split('\n').filter((line) => line.includes('(from 10.42.0.38)'));
    for (const { name, said: pattern } of list)
      if (pattern !== undefined)
        assert.ok(said.filter((line) => pattern.test(line)).length >= 1, `${name} in:\n${said.join('\n')}`);
    assert.equal(new Set(said.map(withoutTime)).size, said.length, `nothing twice:\n${said.join('\n')}`);
  });

/** One daemon alone on a host, and all attacks on it. */
async function attacked(
  kind: Kind,
  version: 2 | 3,
  list: readonly Attack[],
): Promise<{ statistics: string; output: string }> {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24']);
    const neighbour = await lab.host(['10.42.0.38/24']);
    host.write('/run/vrrp.conf', configuration(version));
    const daemon = startDaemon(kind, host, '/run/vrrp.conf');
    await daemon.printed(/Entering MASTER STATE/, 30_000);
    const attack = neighbour.start([process.execPath, '--input-type=module', '-e', attacker(list)]);
    assert.equal(await attack.ended, 0, attack.output);
    // It counts as it reads, and may be behind.
    let statistics = await statisticsOf(kind, host, daemon);
    for (let before = ''; before !== counters(statistics); statistics = await statisticsOf(kind, host, daemon)) {
      before = counters(statistics);
      await new Promise((resolve) => setTimeout(resolve, 700));
    }
    assert.ok(host.holds(virtual));
    assert.equal(await stop(daemon), 0);
    return { statistics, output: daemon.output };
  } finally {
    await lab.close();
  }
}

function configuration(version: 2 | 3): string {
  return `vrrp_instance web {
  interface eth0
  version ${version}
  virtual_router_id 51
  priority 100
  advert_int 1
  ${version === 2 ? 'authentication {\nauth_type PASS\nauth_pass secret12\n}' : ''}
  virtual_ipaddress {
    ${virtual}
  }
}
`;
}

/** A program that sends each packet, `rounds` times. */
function attacker(list: readonly Attack[]): string {
  const packets = list.map(({ bytes, ttl = 255 }) => ({ ttl, hex: Buffer.from(bytes).toString('hex') }));
  return `
import { NetlinkLinks } from ${JSON.stringify(source('adapters/netlink-links.ts'))};
import { RawPackets } from ${JSON.stringify(source('adapters/raw.ts'))};
const links = new NetlinkLinks();
const packets = new RawPackets();
const open = (ttl) => packets.open({ interfaceIndex: links.link('eth0').index, interfaceName: 'eth0', family: 'ipv4', protocol: 112,
  group: '224.0.0.18', source: '10.42.0.38', ttl }, () => {}).channel;
const near = open(255);
const far = open(254);
for (let round = 0; round < ${rounds}; round++) {
  for (const { ttl, hex } of ${JSON.stringify(packets)}) (ttl === 255 ? near : far).send(Buffer.from(hex, 'hex'), '224.0.0.18', 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
}
process.exit(0);
`;
}

async function statisticsOf(kind: Kind, host: TestHost, daemon: Program): Promise<string> {
  host.run('rm -f /tmp/keepalived.stats');
  // Keepalived's parent passes the signal on.
  daemon.signalFirst('SIGUSR2');
  const deadline = performance.now() + 20_000;
  for (;;) {
    if (host.run('ls /tmp').includes('keepalived.stats')) {
      const text = host.run('cat /tmp/keepalived.stats');
      if (/Priority Zero:\n.*\n.*Sent: \d+\n/.test(text)) return text;
    }
    assert.ok(performance.now() < deadline, `${kind} wrote no statistics:\n${daemon.output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Keepalived 2.2.7 counts neither what is too short for a header, nor a wrong interval, though it drops both. */
function comparable(statistics: string): string {
  return counters(statistics).replace(/^ *(Length|Advertisement Interval): .*$/gm, '');
}

/** All but how many were sent, which time decides. */
function counters(statistics: string): string {
  return statistics
    .replace(/^ *Sent: .*$/gm, '')
    .replace(/\n+/g, '\n')
    .trim();
}

function withoutTime(line: string): string {
  return line.replace(/^.*? \d{4}: /, '');
}
