/**
 * FRR's vrrpd and Evergate in one virtual router of version 3, IPv4 and IPv6, either as the preferred one: election, take-over after a crash,
 * return, an orderly stop.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { crash, startDaemon, stop } from './daemons.ts';
import { type FrrRouter, startFrr } from './frr.ts';

/** The log line comes before the change it tells of is done. */
const until = (condition: () => boolean) => untilWithin(condition, 10_000);

const skip = needs('linux', 'root', 'namespaces', 'ip', '/usr/lib/frr/vrrpd');
const virtual = { ipv4: '10.42.0.240/24', ipv6: 'fd42::240/64' } as const;
const patienceMs = 30_000;

describe('FRR', { concurrency: true, skip }, () => {
  for (const family of ['ipv4', 'ipv6'] as const) {
    test(`${family}: evergate preferred`, { timeout: 120_000 }, () =>
      withPair(family, async ({ ours, theirs, begin, routerOf }) => {
        const frr = await startFrr(theirs, routerOf(100));
        await becomes(frr, 'Master');
        let evergate = begin(110);
        await evergate.printed(/Entering MASTER STATE/, patienceMs);
        await becomes(frr, 'Backup', 'Master');
        await until(() => ours.holds(address(family)));

        let seen = frr.output.length;
        crash(evergate);
        await evergate.ended;
        await becomes(frr, 'Master', 'Backup', seen);

        seen = frr.output.length;
        evergate = begin(110);
        await evergate.printed(/Entering MASTER STATE/, patienceMs);
        await becomes(frr, 'Backup', 'Master', seen);

        seen = frr.output.length;
        assert.equal(await stop(evergate), 0);
        await becomes(frr, 'Master', 'Backup', seen);
        assert.ok(!ours.holds(address(family)));
        assert.doesNotMatch(evergate.output, /invalid|too short/i);
        assert.doesNotMatch(frr.output, /bad|invalid|malformed/i);
      }),
    );

    test(`${family}: FRR preferred`, { timeout: 120_000 }, () =>
      withPair(family, async ({ ours, theirs, begin, routerOf }) => {
        const evergate = begin(100);
        await evergate.printed(/Entering MASTER STATE/, patienceMs);
        let seen = evergate.output.length;
        let frr = await startFrr(theirs, routerOf(110));
        await becomes(frr, 'Master');
        await evergate.printed(/Entering BACKUP STATE/, patienceMs, seen);
        await until(() => !ours.holds(address(family)));

        seen = evergate.output.length;
        crash(frr);
        await evergate.printed(/Entering MASTER STATE/, patienceMs, seen);
        await until(() => ours.holds(address(family)));

        seen = evergate.output.length;
        frr = await startFrr(theirs, routerOf(110));
        await becomes(frr, 'Master');
        await evergate.printed(/Entering BACKUP STATE/, patienceMs, seen);
        await until(() => !ours.holds(address(family)));

        seen = evergate.output.length;
        frr.signalFirst('SIGTERM');
        await evergate.printed(/Entering MASTER STATE/, patienceMs, seen);
        await until(() => ours.holds(address(family)));
        assert.equal(await stop(evergate), 0);
        assert.doesNotMatch(evergate.output, /invalid|too short/i);
      }),
    );
  }
});

interface Pair {
  readonly ours: TestHost;
  readonly theirs: TestHost;
  /** Starts Evergate with this priority. */
  readonly begin: (priority: number) => Program;
  readonly routerOf: (priority: number) => FrrRouter;
}

async function withPair(family: 'ipv4' | 'ipv6', play: (pair: Pair) => Promise<void>): Promise<void> {
  const lab = await TestLab.create();
  try {
    const ours = await lab.host(['10.42.0.73/24', 'fd42::73/64']);
    const theirs = await lab.host(['10.42.0.38/24', 'fd42::38/64']);
    await play({
      ours,
      theirs,
      begin: (priority) => {
        ours.write('/run/vrrp.conf', configuration(family, priority));
        return startDaemon('evergate', ours, '/run/vrrp.conf');
      },
      routerOf: (priority) => ({ family, priority, advertisementIntervalMs: 200, address: virtual[family] }),
    });
  } finally {
    await lab.close();
  }
}

/** FRR advertises what it is told to, Keepalived's files begin with a link-local address: here both have the one address. */
function configuration(family: 'ipv4' | 'ipv6', priority: number): string {
  return `vrrp_instance web {
  interface eth0
  version 3
  virtual_router_id 51
  priority ${priority}
  advert_int 0.2
  virtual_ipaddress {
    ${virtual[family]}
  }
}
`;
}

function address(family: 'ipv4' | 'ipv6'): string {
  return virtual[family].slice(0, virtual[family].indexOf('/'));
}

function becomes(
  frr: Program,
  state: 'Master' | 'Backup',
  before: 'Master' | 'Backup' = 'Backup',
  from = 0,
): Promise<void> {
  return frr.printed(new RegExp(`${before} -> ${state}`), patienceMs, from);
}
