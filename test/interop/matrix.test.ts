/**
 * Evergate and the real Keepalived in one group, either as the preferred one: versions, families, multicast and unicast, password and
 * authentication header. For each: who is elected, what happens when the active one crashes,
 * comes back, and stops in an orderly way.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Program, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { crash, type Kind, startDaemon, stop } from './daemons.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip', 'keepalived');

interface Case {
  readonly name: string;
  readonly family: 'ipv4' | 'ipv6';
  readonly version: 2 | 3;
  readonly unicast?: boolean;
  readonly words?: string;
  /** Keepalived drops what a restarted neighbour says with an authentication header, until its sequence number has caught up. */
  readonly electionOnly?: boolean;
}

const cases: readonly Case[] = [
  { name: 'version 2, multicast', family: 'ipv4', version: 2 },
  {
    name: 'version 2, multicast, PASS',
    family: 'ipv4',
    version: 2,
    words: 'authentication {\nauth_type PASS\nauth_pass secret12\n}',
  },
  {
    name: 'version 2, multicast, AH',
    family: 'ipv4',
    version: 2,
    words: 'authentication {\nauth_type AH\nauth_pass secret12\n}',
    electionOnly: true,
  },
  { name: 'version 2, unicast', family: 'ipv4', version: 2, unicast: true },
  { name: 'version 3, multicast', family: 'ipv4', version: 3 },
  { name: 'version 3, unicast', family: 'ipv4', version: 3, unicast: true },
  { name: 'version 3, IPv6 multicast', family: 'ipv6', version: 3 },
  { name: 'version 3, IPv6 unicast', family: 'ipv6', version: 3, unicast: true },
];

const hosts = {
  ipv4: { first: '10.42.0.73', second: '10.42.0.38', virtual: '10.42.0.240', bits: 24 },
  ipv6: { first: 'fd42::73', second: 'fd42::38', virtual: 'fd42::240', bits: 64 },
};

function configuration(chosen: Case, which: 'first' | 'second'): string {
  const { first, second, virtual } = hosts[chosen.family];
  const [own, other] = which === 'first' ? [first, second] : [second, first];
  const unicast = chosen.unicast ? `unicast_src_ip ${own}\nunicast_peer {\n${other}\n}` : '';
  return `global_defs {
  vrrp_version ${chosen.version}
  vrrp_garp_master_delay 1
}
vrrp_instance web {
  interface eth0
  state BACKUP
  virtual_router_id 51
  priority ${which === 'first' ? 110 : 100}
  advert_int ${chosen.version === 2 ? 1 : 0.2}
  ${unicast}
  ${chosen.words ?? ''}
  virtual_ipaddress {
    ${chosen.family === 'ipv6' && !chosen.unicast ? 'fe80::5:1/64\n    ' : ''}${virtual}
  }
}
`;
}

for (const chosen of cases)
  for (const preferred of ['evergate', 'keepalived'] as const)
    test(`${chosen.name}: ${preferred} preferred`, { skip, timeout: 60_000 }, () => playThrough(chosen, preferred));

async function playThrough(chosen: Case, preferred: Kind): Promise<void> {
  const addresses = hosts[chosen.family];
  const other = preferred === 'evergate' ? 'keepalived' : 'evergate';
  const lab = await TestLab.create();
  try {
    const first = await lab.host([`${addresses.first}/${addresses.bits}`]);
    const second = await lab.host([`${addresses.second}/${addresses.bits}`]);
    for (const [host, which] of [
      [first, 'first'],
      [second, 'second'],
    ] as const)
      host.write('/run/vrrp.conf', configuration(chosen, which));
    const holds = () => [first.holds(addresses.virtual), second.holds(addresses.virtual)];
    const begin = (kind: Kind, host: typeof first) => startDaemon(kind, host, '/run/vrrp.conf');

    let one = begin(preferred, first);
    const two = begin(other, second);
    await entered(one, 'MASTER');
    await entered(two, 'BACKUP');
    // What both have when they start together: at most a short duel, then only the higher one holds the address.
    await until(() => !holds()[1]);
    assert.deepEqual(holds(), [true, false]);

    let seen = two.output.length;
    if (chosen.electionOnly) {
      await stop(one);
      await entered(two, 'MASTER', seen);
      return;
    }
    crash(one);
    await one.ended;
    await entered(two, 'MASTER', seen);
    await until(() => holds()[1]);

    seen = two.output.length;
    one = begin(preferred, first);
    await entered(one, 'MASTER');
    await entered(two, 'BACKUP', seen);
    await until(() => !holds()[1]);
    assert.deepEqual(holds(), [true, false]);

    seen = two.output.length;
    assert.equal(await stop(one), 0);
    await entered(two, 'MASTER', seen);
    await until(() => holds()[1]);
    assert.deepEqual(holds(), [false, true]);

    assert.equal(await stop(two), 0);
    assert.deepEqual(holds(), [false, false]);
    for (const output of [one.output, two.output])
      assert.doesNotMatch(output, /checksum|invalid|mismatch|too short|VIPs but received|not present/i);
  } finally {
    await lab.close();
  }
}

function entered(daemon: Program, state: 'MASTER' | 'BACKUP', from = 0): Promise<void> {
  return daemon.printed(new RegExp(`Entering ${state} STATE`), 15_000, from);
}

/** The log line comes before the change it tells of is done. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, 'not within 5 seconds');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
