/**
 * `use_vmac`: all routers of a group have the virtual hardware address on a macvlan, and a switch sends what is for it to the port where it was
 * heard last. So a backup never speaks with it, not even its kernel, which tells switches by itself what groups it listens to.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { startDaemon, stop } from './daemons.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip', 'bridge', 'tcpdump');

interface Family {
  readonly name: string;
  readonly hosts: readonly [string, string];
  readonly virtual: string;
  readonly hardwareAddress: string;
  readonly device: string;
  readonly report: RegExp;
}

const families: readonly Family[] = [
  {
    name: 'IPv4',
    hosts: ['10.42.0.1/24', '10.42.0.2/24'],
    virtual: '10.42.0.240/24',
    hardwareAddress: '00:00:5e:00:01:33',
    device: 'vrrp.51',
    report: /> 224\.0\.0\.22: igmp/,
  },
  {
    name: 'IPv6',
    hosts: ['fd42::1/64', 'fd42::2/64'],
    virtual: 'fe80::5:1/64\nfd42::240/64',
    hardwareAddress: '00:00:5e:00:02:33',
    device: 'vrrp.51',
    report: /> ff02::16: HBH ICMP6/,
  },
];

for (const family of families)
  test(`${family.name}: a backup never speaks with the virtual hardware address`, {
    skip,
    timeout: 60_000,
  }, async () => {
    const lab = await TestLab.create();
    try {
      const [active, backup] = [await lab.host([family.hosts[0]]), await lab.host([family.hosts[1]])];
      active.write('/run/vrrp.conf', configuration(family, 110));
      backup.write('/run/vrrp.conf', configuration(family, 100));
      const first = startDaemon('evergate', active, '/run/vrrp.conf');
      await first.printed(/Entering MASTER STATE/);
      // Where the backup's cable ends in the switch, what comes in.
      const dump = lab.onSwitch(['tcpdump', '-i', 'port1', '-Q', 'in', '-lenn']);
      let heard = '';
      dump.stdout?.on('data', (text: Buffer) => {
        heard += text;
      });
      await new Promise((resolve) => dump.stderr?.once('data', resolve));
      const second = startDaemon('evergate', backup, '/run/vrrp.conf');
      await second.printed(/Entering BACKUP STATE/);
      const spoken = (hardwareAddress: string) =>
        heard.split('\n').filter((line) => line.includes(` ${hardwareAddress} > `));
      // The kernel repeats a report within a second (RFC 3376 §8.11, RFC 3810 §9.11).
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      assert.deepEqual(spoken(family.hardwareAddress), []);
      const own = /link\/ether (\S+)/.exec(backup.run('ip link show dev eth0'))?.[1] ?? '';
      assert.ok(
        spoken(own).some((line) => family.report.test(line)),
        `no report with ${own}:\n${heard}`,
      );
      assert.equal(await stop(first), 0);
      await second.printed(/Entering MASTER STATE/);
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.ok(spoken(family.hardwareAddress).some((line) => /VRRPv[23], Advertisement/.test(line)));
      assert.equal(await stop(second), 0);
      assert.ok(!backup.run('ip link').includes(family.device));
    } finally {
      await lab.close();
    }
  });

function configuration({ virtual }: Family, priority: number): string {
  return `vrrp_instance web {
  interface eth0
  state BACKUP
  virtual_router_id 51
  priority ${priority}
  advert_int 1
  use_vmac
  virtual_ipaddress {
    ${virtual}
  }
}
`;
}
