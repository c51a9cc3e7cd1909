/**
 * What Evergate puts on the wire is what Keepalived 2.2.7 puts there for the same file on the same host: the same frames in the same order,
 * but for the hardware address. tshark decodes them without complaint.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { Program, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { fakeHaproxy, type Kind, startDaemon, stop } from './daemons.ts';

const until = (condition: () => boolean) => untilWithin(condition, 15_000);

const skip = needs('linux', 'root', 'namespaces', 'ip', 'keepalived', 'tcpdump', 'tshark');
const seed = new URL('../../../shared/seed/keepalived-active.conf', import.meta.url);

const version3 = (family: 'ipv4' | 'ipv6', more: string) => `vrrp_instance web {
  interface eth0
  version 3
  virtual_router_id 7
  priority 120
  advert_int 0.25
  garp_master_delay 1
  ${more}
  virtual_ipaddress {
    ${family === 'ipv4' ? '10.42.0.240/24\n10.42.0.241' : 'fe80::7:1\nfd42::240/64'}
  }
}
`;

const cases: readonly { readonly name: string; readonly text: () => string; readonly frames: number }[] = [
  { name: 'the seed’s file', text: () => readFileSync(seed, 'utf8'), frames: 8 },
  { name: 'version 3 over IPv4', text: () => version3('ipv4', ''), frames: 12 },
  { name: 'version 3 over IPv4, unicast', text: () => version3('ipv4', 'unicast_peer {\n10.42.0.9\n}'), frames: 12 },
  { name: 'version 3 over IPv6', text: () => version3('ipv6', ''), frames: 12 },
  {
    name: 'version 2 with AH',
    text: () =>
      version3('ipv4', 'authentication {\nauth_type AH\nauth_pass abc\n}')
        .replace('version 3', 'version 2')
        .replace('0.25', '1'),
    frames: 12,
  },
];

for (const { name, text, frames } of cases)
  test(`the same frames as Keepalived: ${name}`, {
    skip: skip || (name.startsWith('the seed') && needs('shared')),
    timeout: 60_000,
  }, async () => {
    const [ours, theirs] = await Promise.all([
      capture('evergate', text(), frames),
      capture('keepalived', text(), frames),
    ]);
    assert.deepEqual(ours.frames, theirs.frames);
    // No line: nothing is malformed and every checksum is right.
    assert.equal(ours.complaints, '');
  });

/** Runs the daemon alone on a host and captures the first frames that it sends, and the last one when it is stopped. */
async function capture(kind: Kind, text: string, count: number): Promise<{ frames: string[]; complaints: string }> {
  const lab = await TestLab.create();
  const folder = mkdtempSync(join(tmpdir(), 'evergate-wire-'));
  const file = join(folder, 'frames.pcap');
  try {
    const host = await lab.host(['10.42.0.73/24', 'fd42::73/64']);
    // The same link-local address on both, and a neighbour entry for the unicast peer, who isn't there.
    host.run('ip addr flush dev eth0 scope link');
    host.run('ip addr add fe80::73/64 dev eth0 nodad');
    host.run('ip neigh add 10.42.0.9 lladdr 02:00:00:00:00:09 dev eth0');
    host.write('/run/vrrp.conf', text);
    fakeHaproxy(host);
    // The question whether somebody else has the address too (RFC 5227 §2.1.1) is ours; Keepalived does not ask.
    const filter = 'proto 112 or proto 51 or (arp and arp[14:4] != 0) or (icmp6 and ip6[40] = 136) or ip6 proto 112';
    const tcpdump = new Program(
      lab.onSwitch(['tcpdump', '-i', 'switch0', '--immediate-mode', '-U', '-w', file, filter]),
    );
    await tcpdump.printed(/listening on/);
    const daemon = startDaemon(kind, host, '/run/vrrp.conf');
    await daemon.printed(/Entering MASTER STATE/, 15_000);
    await until(() => readFrames(file).length >= count);
    await stop(daemon);
    await until(() => readFrames(file).some(isResignation));
    tcpdump.signal('SIGTERM');
    await tcpdump.ended;
    const captured = readFrames(file);
    const checked = spawnSync(
      'tshark',
      ['-r', file, '-o', 'ip.check_checksum:TRUE', '-Y', '_ws.malformed || _ws.expert.severity >= 6291456'],
      { encoding: 'utf8' },
    );
    const last = captured.find(isResignation) ?? '';
    return { frames: [...captured.slice(0, count), withoutCounters(last)], complaints: checked.stdout };
  } finally {
    await lab.close();
    rmSync(folder, { recursive: true });
  }
}

/** An advertisement with priority 0, wherever its headers end. */
function isResignation(frame: string): boolean {
  const message = messageAt(frame);
  return message > 0 && frame.slice(message + 4, message + 6) === '00';
}

function messageAt(frame: string): number {
  const protocol = frame.slice(24, 28) === '86dd' ? frame.slice(40, 42) : frame.slice(46, 48);
  if (protocol !== '70' && protocol !== '33') return -1;
  const ip = 28 + (frame.slice(24, 28) === '86dd' ? 80 : 40);
  return protocol === '33' ? ip + 48 : ip;
}

/** How many went before depends on when the daemon was stopped: identification, header checksum, AH's sequence and digest. */
function withoutCounters(frame: string): string {
  if (frame.slice(24, 28) === '86dd') return frame;
  const header = frame.slice(0, 36) + '####' + frame.slice(40, 48) + '####' + frame.slice(52, 68);
  return messageAt(frame) === 68
    ? header + frame.slice(68)
    : header + frame.slice(68, 84) + frame.slice(messageAt(frame));
}

/** The frames of a pcap file in hexadecimal, with the sender's own hardware address written as `…`. */
function readFrames(path: string): string[] {
  let file: Buffer;
  try {
    file = readFileSync(path);
  } catch {
    return [];
  }
  const frames: string[] = [];
  for (let at = 24; at + 16 <= file.length; ) {
    const length = file.readUInt32LE(at + 8);
    if (at + 16 + length > file.length) break;
    const frame = file.subarray(at + 16, at + 16 + length).toString('hex');
    frames.push(withoutHardwareAddress(frame));
    at += 16 + length;
  }
  return frames;
}

function withoutHardwareAddress(frame: string): string {
  const own = frame.slice(12, 24);
  const shown = frame.replaceAll(own, '…'.repeat(12));
  // A neighbour advertisement's checksum covers the hardware address.
  return frame.startsWith('333300000001') ? shown.slice(0, 112) + '####' + shown.slice(116) : shown;
}
