/**
 * Evergate and the real Keepalived in one group, in every role: versions, families, multicast and unicast, password, both checksums. Each
 * combination lives through the same life: election, priorities that change, a lost link, a crash, a return, a stop, equal priorities, a healed
 * split, nopreempt. What Keepalived alone does in the same life is the measure: the same one is active, not later, and never two for longer.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { needs } from '../requirements.ts';
import type { Kind } from './daemons.ts';
import { Group, type Network, type Outcome } from './group.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip', 'bridge', 'keepalived');

interface Combination {
  readonly name: string;
  readonly version: 2 | 3;
  readonly family: 'ipv4' | 'ipv6';
  readonly unicast: boolean;
  /** Words of the instance. */
  readonly words: string;
  /** Keepalived 2.2.7 does not know the words yet: the first of two Evergates has them, and Keepalived's own measure goes without. */
  readonly oursOnly?: boolean;
}

const header = 'authentication {\nauth_type AH\nauth_pass secret12\n}';
const password = 'authentication {\nauth_type PASS\nauth_pass secret12\n}';
const combinations: readonly Combination[] = [
  { name: 'version 2, multicast', version: 2, family: 'ipv4', unicast: false, words: '' },
  { name: 'version 2, multicast, PASS', version: 2, family: 'ipv4', unicast: false, words: password },
  { name: 'version 2, unicast', version: 2, family: 'ipv4', unicast: true, words: '' },
  { name: 'version 2, unicast, PASS', version: 2, family: 'ipv4', unicast: true, words: password },
  { name: 'version 3, multicast', version: 3, family: 'ipv4', unicast: false, words: '' },
  { name: 'version 3, unicast', version: 3, family: 'ipv4', unicast: true, words: '' },
  {
    name: 'version 3, multicast, one with RFC 9568’s checksum',
    version: 3,
    family: 'ipv4',
    unicast: false,
    words: 'v3_checksum_as_v2',
    oursOnly: true,
  },
  {
    name: 'version 3, unicast, one with RFC 9568’s checksum',
    version: 3,
    family: 'ipv4',
    unicast: true,
    words: 'v3_checksum_as_v2',
    oursOnly: true,
  },
  { name: 'version 3, IPv6, multicast', version: 3, family: 'ipv6', unicast: false, words: '' },
  { name: 'version 3, IPv6, unicast', version: 3, family: 'ipv6', unicast: true, words: '' },
];
const inThrees = ['version 2, multicast, PASS', 'version 3, unicast', 'version 3, IPv6, multicast'];
/** A password changes nothing about ties. */
const faultsOnly = ['version 2, multicast, PASS', 'version 2, unicast'];
const mixesOfThree: readonly (readonly Kind[])[] = [
  ['evergate', 'keepalived', 'keepalived'],
  ['keepalived', 'evergate', 'keepalived'],
  ['keepalived', 'evergate', 'evergate'],
  ['evergate', 'keepalived', 'evergate'],
];

const networks: Record<'ipv4' | 'ipv6', Network & { readonly hosts: readonly string[] }> = {
  ipv4: { hosts: ['10.42.0.73', '10.42.0.38', '10.42.0.50'], virtual: '10.42.0.240', bits: 24 },
  ipv6: { hosts: ['fd42::73', 'fd42::38', 'fd42::50'], virtual: 'fd42::240', bits: 64 },
};
/** Labs at a time: they mostly wait. */
const labsMax = 10;
/** How much later than Keepalived alone, beside two intervals, as it depends on when in an interval something happens: a turn of a busy machine. */
const toleranceMs = 2_000;
const attemptsMax = 3;

type Life = (combination: Combination, kinds: readonly Kind[]) => Promise<readonly Outcome[]>;

describe('a matrix of lives', { concurrency: true, skip }, () => {
  for (const combination of combinations) {
    const pairs: readonly (readonly Kind[])[] = combination.oursOnly
      ? [['evergate', 'evergate']]
      : [
          ['evergate', 'keepalived'],
          ['keepalived', 'evergate'],
        ];
    for (const kinds of pairs) {
      compared('faults', lifeOfFaults, combination, kinds);
      if (!faultsOnly.includes(combination.name)) compared('ties', lifeOfTies, combination, kinds);
    }
    if (inThrees.includes(combination.name))
      for (const kinds of mixesOfThree) compared('three', lifeOfThree, combination, kinds);
  }
  const authenticated: Combination = {
    name: 'version 2, multicast, AH',
    version: 2,
    family: 'ipv4',
    unicast: false,
    words: header,
  };
  compared('election', lifeOfElection, authenticated, ['evergate', 'keepalived']);
  compared('election', lifeOfElection, authenticated, ['keepalived', 'evergate']);
});

function compared(what: string, life: Life, combination: Combination, kinds: readonly Kind[]): void {
  test(`${combination.name}: ${what}, ${kinds.join(' and ')}`, { timeout: 550_000 }, async (context) => {
    for (let attempt = 1; ; attempt++)
      try {
        const measure = measureOf(what, life, combination, kinds.length);
        const [theirs, ours] = await Promise.all([measure, limited(() => life(combination, kinds), attempt > 1)]);
        context.diagnostic(compare(combination, ours, theirs));
        return;
      } catch (error) {
        // A daemon, ours or theirs, that a busy machine lets wait for seconds is taken for dead: that spoils a life now and then. A mistake stays.
        if (attempt === attemptsMax) throw error;
        context.diagnostic(`lived again: ${String(error).split('\n', 1)[0]}`);
        measures.delete(keyOf(what, combination));
      }
  });
}

/** Throws where ours was later than theirs, or two were active for longer. @returns the figures of each phase, ours/theirs in milliseconds. */
function compare(combination: Combination, ours: readonly Outcome[], measure: readonly Outcome[]): string {
  const phases = (outcomes: readonly Outcome[]) => outcomes.map(({ phase }) => phase);
  assert.deepEqual(phases(ours), phases(measure));
  const figures: string[] = [];
  const interval = intervalMs(combination);
  for (const [index, { phase, tookMs, twoMs, started }] of ours.entries()) {
    const theirs = measure[index]!;
    figures.push(`${phase} ${tookMs}/${theirs.tookMs}, two ${twoMs}/${theirs.twoMs}`);
    // Three intervals and the skew; and when programs are started, one runs before the other.
    const limitMs = Math.max(theirs.tookMs, started ? 4 * interval : 0) + 2 * interval + toleranceMs;
    assert.ok(tookMs <= limitMs, `${phase}: ${tookMs} ms, Keepalived alone ${theirs.tookMs} ms`);
    const together = `${phase}: two for ${twoMs} ms, Keepalived alone ${theirs.twoMs} ms`;
    // The loser of a healed split learns of it with the next advertisement.
    assert.ok(phase === 'split' || twoMs <= theirs.twoMs + interval + toleranceMs / 4, together);
  }
  return figures.join('; ');
}

function intervalMs({ version }: Combination): number {
  return version === 2 ? 1_000 : 250;
}

/** The preferred one's priority sinks, its link is lost, it crashes, it is stopped; and after each it comes back. */
async function lifeOfFaults(combination: Combination, kinds: readonly Kind[]): Promise<readonly Outcome[]> {
  return withGroup(combination, kinds, async (group, text) => {
    group.configure(0, text(0, 110));
    group.configure(1, text(1, 100));
    await group.phase('election', () => startAll(group, [0, 1]), 0);
    await group.phase('tracked file', () => group.weigh(0, -20), 1);
    await group.phase('tracked file back', () => group.weigh(0, 0), 0);
    await group.phase('lower by reload', () => group.reload(0, text(0, 90)), 1);
    await group.phase('higher by reload', () => group.reload(0, text(0, 110)), 0);
    await group.phase('link lost', () => group.cable(0, false), 1);
    await group.phase('link back', () => group.cable(0, true), 0);
    await group.phase('crash', () => group.crash(0), 1);
    await group.phase('return', () => group.start(0), 0);
    await group.phase('stop', () => group.stop(0), 1);
    await group.ended(0, 0);
    await group.phase('end', () => group.stop(1));
    await group.ended(1, 0);
    for (const which of [0, 1])
      assert.doesNotMatch(group.output(which), /invalid|mismatch|too short|VIPs but received|not present/i);
  });
}

/**
 * Keepalived drops what a neighbour says with an authentication header until its sequence number has caught up with the one heard or sent
 * before: the preferred one starts first, and there is no return.
 */
async function lifeOfElection(combination: Combination, kinds: readonly Kind[]): Promise<readonly Outcome[]> {
  return withGroup(combination, kinds, async (group, text) => {
    group.configure(0, text(0, 110));
    group.configure(1, text(1, 100));
    await group.phase('alone', () => group.start(0), 0);
    await group.start(1);
    await group.quiet('a lower one does not take over', 2_000);
    await group.phase('stop', () => group.stop(0), 1);
  });
}

/** Equal priorities: who is active stays; after a split the higher address wins. Then nopreempt. */
async function lifeOfTies(combination: Combination, kinds: readonly Kind[]): Promise<readonly Outcome[]> {
  const calmMs = intervalMs(combination) * 4.5;
  return withGroup(combination, kinds, async (group, text) => {
    group.configure(0, text(0, 100));
    group.configure(1, text(1, 100));
    await group.phase('alone', () => group.start(1), 1);
    await group.start(0);
    await group.quiet('an equal one does not take over', calmMs);
    await group.phase('split', () => group.partition(true), 0, 1);
    await group.phase('healed', () => group.partition(false), 0);
    group.reload(1, text(1, 110, 'nopreempt'));
    await group.quiet('a higher one with nopreempt does not take over', calmMs);
    await group.phase('crash', () => group.crash(0), 1);
    await group.start(0);
    await group.quiet('a lower one does not take over', calmMs / 2);
    await group.phase('crash of the higher one', () => group.crash(1), 0);
    await group.start(1);
    await group.quiet('nopreempt: it does not take back', calmMs);
    await group.phase('stop', () => group.stop(0), 1);
    await group.ended(0, 0);
  });
}

/** The middle one takes over from the first, the last from the middle one, and back in the order of priorities. */
async function lifeOfThree(combination: Combination, kinds: readonly Kind[]): Promise<readonly Outcome[]> {
  return withGroup(combination, kinds, async (group, text) => {
    for (const [which, priority] of [110, 100, 105].entries()) group.configure(which, text(which, priority));
    await group.phase('election', () => startAll(group, [0, 1, 2]), 0);
    await group.phase('crash of the first', () => group.crash(0), 2);
    await group.phase('link of the second lost', () => group.cable(2, false), 1);
    await group.phase('link of the second back', () => group.cable(2, true), 2);
    await group.phase('return of the first', () => group.start(0), 0);
    await group.phase('stop of the first', () => group.stop(0), 2);
    await group.phase('stop of the second', () => group.stop(2), 1);
  });
}

async function startAll(group: Group, which: readonly number[]): Promise<void> {
  await Promise.all(which.map((one) => group.start(one)));
}

async function withGroup(
  combination: Combination,
  kinds: readonly Kind[],
  live: (group: Group, text: (which: number, priority: number, words?: string) => string) => Promise<void>,
): Promise<readonly Outcome[]> {
  const network = networks[combination.family];
  const members = kinds.map((kind, which) => ({ kind, address: network.hosts[which]! }));
  const group = await Group.create(members, network);
  try {
    await live(group, (which, priority, words = '') =>
      configuration(combination, members.length, which, priority, words),
    );
    return group.outcomes;
  } finally {
    await group.close();
  }
}

function configuration(
  combination: Combination,
  count: number,
  which: number,
  priority: number,
  words: string,
): string {
  const { hosts, virtual } = networks[combination.family];
  const others = hosts.slice(0, count).filter((_, index) => index !== which);
  return `global_defs {
  vrrp_version ${combination.version}
  vrrp_garp_master_delay 1
  vrrp_rt_priority 2
  vrrp_rlimit_rttime 5000000
}
track_file weight {
  file /run/weight
  weight 1
}
vrrp_instance web {
  interface eth0
  state BACKUP
  virtual_router_id 51
  priority ${priority}
  advert_int ${intervalMs(combination) / 1_000}
  ${combination.unicast ? `unicast_src_ip ${hosts[which]}\nunicast_peer {\n${others.join('\n')}\n}` : ''}
  ${combination.oursOnly && which > 0 ? '' : combination.words}
  ${words}
  track_file {
    weight
  }
  virtual_ipaddress {
    ${combination.family === 'ipv6' && !combination.unicast ? 'fe80::5:1/64\n    ' : ''}${virtual}
  }
}
`;
}

const measures = new Map<string, Promise<readonly Outcome[]>>();

/** The same life with Keepalived in all roles, lived once. */
function measureOf(what: string, life: Life, combination: Combination, count: number): Promise<readonly Outcome[]> {
  const key = keyOf(what, combination);
  let measure = measures.get(key);
  if (measure === undefined) {
    measure = limited(() => life(withoutOurs(combination), Array<Kind>(count).fill('keepalived')));
    measures.set(key, measure);
  }
  return measure;
}

function keyOf(what: string, combination: Combination): string {
  return JSON.stringify([what, { ...withoutOurs(combination), name: '', oursOnly: false }]);
}

function withoutOurs(combination: Combination): Combination {
  return combination.oursOnly ? { ...combination, words: '' } : combination;
}

let running = 0;
const waiting: (() => void)[] = [];

/** @param soon before those that wait already. */
async function limited<Result>(work: () => Promise<Result>, soon = false): Promise<Result> {
  if (running >= labsMax)
    await new Promise<void>((resolve) => (soon ? waiting.unshift(resolve) : waiting.push(resolve)));
  else running++;
  try {
    return await work();
  } finally {
    const next = waiting.shift();
    if (next === undefined) running--;
    else next();
  }
}
