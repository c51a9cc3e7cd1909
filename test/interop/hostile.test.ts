/** A neighbour that sends damaged, forged and foreign packets: each kind is counted, said once, and changes nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { startDaemon, stop } from './daemons.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip');
const source = (path: string) => fileURLToPath(new URL(`../../src/${path}`, import.meta.url));
/** Few enough that the kernel's buffer holds them all, however late the daemon reads. */
const repeats = 20;

const configuration = `vrrp_instance web {
  interface eth0
  version 3
  virtual_router_id 51
  priority 100
  advert_int 0.1
  virtual_ipaddress {
    10.42.0.51
  }
}
`;

/** Sends, `repeats` times each: too short, bad checksum, wrong TTL, another version, another router's, longer than any real one. */
const attacker = `
import { NetlinkLinks } from ${JSON.stringify(source('adapters/netlink-links.ts'))};
import { RawPackets } from ${JSON.stringify(source('adapters/raw.ts'))};
const links = new NetlinkLinks();
const packets = new RawPackets();
const open = (ttl) => packets.open({ interfaceIndex: links.link('eth0').index, interfaceName: 'eth0', family: 'ipv4', protocol: 112,
  group: '224.0.0.18', source: '10.42.0.38', ttl }, () => {}).channel;
const near = open(255);
const far = open(254);
const higher = Uint8Array.of(0x31, 51, 250, 1, 0, 10, 0, 0, 10, 42, 0, 51);
const otherVersion = Uint8Array.of(0x21, 51, 250, 1, 0, 1, 0, 0, 10, 42, 0, 51, 0, 0, 0, 0, 0, 0, 0, 0);
const otherRouter = Uint8Array.of(0x31, 52, 250, 1, 0, 10, 0, 0, 10, 42, 0, 51);
const long = new Uint8Array(1400).fill(0xff);
long.set([0x31, 51, 250, 255]);
for (let round = 0; round < ${repeats}; round++) {
  near.send(higher.subarray(0, 1), '224.0.0.18', 1);
  near.send(higher.subarray(0, 6), '224.0.0.18', 1);
  near.send(higher, '224.0.0.18', 1);
  far.send(higher, '224.0.0.18', 1);
  near.send(otherVersion, '224.0.0.18', 1);
  near.send(otherRouter, '224.0.0.18', 1);
  near.send(long, '224.0.0.18', 1);
}
process.exit(0);
`;

test('hostile packets are counted, said once, and ignored', { skip, timeout: 30_000 }, async () => {
  const lab = await TestLab.create();
  try {
    const host = await lab.host(['10.42.0.73/24']);
    const neighbour = await lab.host(['10.42.0.38/24']);
    host.write('/run/vrrp.conf', configuration);
    const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
    await daemon.printed(/Entering MASTER STATE/);
    const attack = neighbour.start([process.execPath, '--input-type=module', '-e', attacker]);
    assert.equal(await attack.ended, 0, attack.output);
    const statistics = async () => {
      host.run('rm -f /tmp/keepalived.stats');
      daemon.signalFirst('SIGUSR2');
      for (;;) {
        if (host.run('ls /tmp').includes('keepalived.stats')) {
          const text = host.run('cat /tmp/keepalived.stats');
          if (/Priority Zero:\n.*\n.*Sent: \d+\n/.test(text)) return text;
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    const text = await statistics();
    assert.match(text, new RegExp(`TTL: ${repeats}\n`));
    // Of both short kinds only the one with a router's number is known to be meant for this one.
    assert.match(text, new RegExp(`Length: ${2 * repeats}\n`));
    assert.match(text, /Advertisements:\n {4}Received: 0\n/);
    assert.match(text, /Became master: 1\n {2}Released master: 0\n/);
    const said = daemon.output.split('\n').filter((line) => line.includes('(from 10.42.0.38)'));
    for (const kind of [/checksum/i, /TTL/, /version/i, /too short/i])
      assert.equal(said.filter((line) => kind.test(line)).length, 1, `${kind} in:\n${said.join('\n')}`);
    assert.ok(host.holds('10.42.0.51'));
    assert.equal(await stop(daemon), 0);
  } finally {
    await lab.close();
  }
});
