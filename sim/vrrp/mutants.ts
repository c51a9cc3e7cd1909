/**
 * Deliberate mistakes, to show that the simulator bites: each is a change of text in a copy of the machine's source. The production code
 * knows nothing of this.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { Parts } from './parts.ts';

export interface Mutant {
  readonly name: string;
  /** Below src/. */
  readonly file: string;
  /** Must occur exactly once. */
  readonly from: string;
  readonly to: string;
  /** Takes more schedules than `npm test` has time for (still within a minute); its kept schedule shows it at once. */
  readonly rare?: true;
}

export const mutants: readonly Mutant[] = [
  {
    name: 'version 3 uses the skew of version 2',
    file: 'core/vrrp/intervals.ts',
    from: 'return version === 2 ?',
    to: 'return version <= 3 ?',
  },
  {
    name: 'the timer is not reset by an advertisement',
    file: 'core/vrrp/machine.ts',
    from: 'state.follows = heard.source;\n    state.wait(this.#settings, this.priority, now);',
    to: '',
  },
  {
    name: 'priority 0 is ignored by a backup',
    file: 'core/vrrp/machine.ts',
    from: 'this.#heardResignation(state, heard, now);\n      return;',
    to: 'return;',
  },
  {
    name: 'a tie is broken by nothing',
    file: 'core/vrrp/order.ts',
    from: 'compareAddresses(a.source, b.source) : ',
    to: '0 : ',
  },
  {
    name: 'a tie is won by the lower address',
    file: 'core/vrrp/order.ts',
    from: 'compareAddresses(a.source, b.source) : ',
    to: 'compareAddresses(b.source, a.source) : ',
  },
  {
    name: 'an active router does not step down before a higher one',
    file: 'core/vrrp/machine.ts',
    from: 'this.#yield(heard, now);',
    to: '',
  },
  {
    name: 'nopreempt is not heeded',
    file: 'core/vrrp/machine.ts',
    from: 'const preempts = this.#settings.preempt && heard.priority < this.priority;',
    to: 'const preempts = heard.priority < this.priority;',
  },
  {
    name: 'nobody ever preempts',
    file: 'core/vrrp/machine.ts',
    from: 'const preempts = this.#settings.preempt && heard.priority < this.priority;',
    to: 'const preempts = false;',
  },
  {
    name: 'the interval of the active router is not learnt',
    file: 'core/vrrp/backup-state.ts',
    from: '    this.activeIntervalMs = intervalMs;',
    to: '',
  },
  {
    name: 'addresses are kept when stepping down',
    file: 'core/vrrp/outbox.ts',
    from: "this.put({ kind: 'remove-addresses', addresses, all: true, ...linger });",
    to: '',
  },
  {
    name: 'a balancer that does not serve is no fault',
    file: 'core/vrrp/facts.ts',
    from: "if (this.#serving === false) faults.push('the balancer does not serve');",
    to: '',
  },
  {
    name: 'a fault is entered without resigning',
    file: 'core/vrrp/machine.ts',
    from: "if (from === 'active') this.#resign(this.#facts.wellButAway ? resignedLingerMs : 0);\n    this.#changeState({ kind: 'fault' }",
    to: "if (from === 'active') this.#out.letGo(addressesOf(this.#settings));\n    this.#changeState({ kind: 'fault' }",
  },
  {
    name: 'a late process goes on as if nothing had been',
    file: 'core/vrrp/machine.ts',
    from: 'this.#wakeLate(now);',
    to: '',
  },
  {
    name: 'Adver_Timer is not set again',
    file: 'core/vrrp/active-state.ts',
    from: 'this.#advertiseAt = next > now ? next : now + intervalMs;',
    to: '',
  },
  {
    name: 'nothing is announced when a lower router was heard',
    file: 'core/vrrp/machine.ts',
    from: 'if (!lowerPrioNoAdvert) state.advertise(this.#settings, this.priority, now);\n    state.announcing.lowerHeard(this.#settings, now);',
    to: 'if (!lowerPrioNoAdvert) state.advertise(this.#settings, this.priority, now);',
  },
  {
    name: 'the loser of a split says no last word',
    file: 'core/vrrp/machine.ts',
    from: 'if (splitIsAnnounced) this.#out.advertise(this.priority);',
    to: '',
  },
  {
    name: 'preempt_delay never ends',
    file: 'core/vrrp/backup-state.ts',
    from: 'return now < this.#preemptAt;',
    to: 'return true;',
  },
  {
    name: 'the last word of a late riser may win',
    file: 'core/vrrp/machine.ts',
    from: 'if (this.#facts.compare(heard, this.#settings) > 0) this.#out.advertise(this.priority);\n    else if (heard.priority > 1) this.#out.advertise(1);',
    to: 'this.#out.advertise(this.priority);',
  },
  {
    name: 'a late riser believes what waited in its socket',
    file: 'core/vrrp/machine.ts',
    from: "if (state.kind !== 'backup' || now < this.#listensUntil) return;",
    to: "if (state.kind !== 'backup') return;",
  },
  {
    name: 'a late riser lets go for good without a word',
    rare: true,
    file: 'core/vrrp/machine.ts',
    from: 'this.#owesLastWord = this.#settings.splitIsAnnounced;',
    to: '',
  },
  {
    name: 'a rival that resigns is not taken for a split',
    rare: true,
    file: 'core/vrrp/machine.ts',
    from: '      // Only an active router resigns: there were two, and the network may have listened to the other.\n      state.announcing.lowerHeard(this.#settings, now);\n',
    to: '',
  },
  {
    name: 'a lost BFD session is ignored',
    rare: true,
    file: 'core/vrrp/machine.ts',
    from: 'this.#peerLost(event.source, now);',
    to: '',
  },
  {
    name: 'sessions keep the usual pace where advertisements are frequent',
    rare: true,
    file: 'core/bfd/pace.ts',
    from: 'return Math.min(limits.intervalMs, Math.max(limits.fastestMs, advertisementIntervalMs));',
    to: 'return limits.intervalMs;',
  },
  {
    name: 'BFD is believed after everybody stood still',
    rare: true,
    file: 'core/bfd/session.ts',
    from: 'handle(event: SessionEvent, now: number): void {\n    switch (event.kind) {',
    to: "handle(given: SessionEvent, now: number): void {\n    const event: SessionEvent = given.kind === 'timer' ? { kind: 'timer' } : given;\n    if (event.kind === 'asked') return;\n    switch (event.kind) {",
  },
  {
    name: 'members of a sync group do not follow the one that steps down',
    file: 'core/vrrp/sync-group.ts',
    from: "for (const member of this.members) member.handle({ kind: 'group', wish: 'backup' }, now);",
    to: '',
  },
  {
    name: 'a sync group becomes active as soon as one member would',
    file: 'core/vrrp/sync-group.ts',
    from: 'this.members.every((member) => member.willing)',
    to: 'this.members.some((member) => member.willing)',
  },
  {
    name: 'anybody may speak to a router with unicast peers',
    file: 'core/vrrp/receive.ts',
    from: 'return transport.checkSource\n',
    to: 'return false\n',
  },
  {
    name: 'multicast may come from beyond the network',
    file: 'core/vrrp/receive.ts',
    from: 'if (packet.ttl !== 255)',
    to: 'if (false)',
  },
  {
    name: 'addresses do not wait for the successor',
    file: 'core/vrrp/outbox.ts',
    from: 'const linger = lingerMs > 0 ? { lingerMs } : {};',
    to: 'const linger = {};',
  },
  {
    name: 'members of a sync group are handed over one after the other',
    file: 'core/vrrp/sync-group.ts',
    from: 'this.members[member]!.handle(event, now);\n    this.#settle(now);',
    to: '{ this.members[member]!.handle(event, now); this.#settle(now); }',
  },
  {
    name: 'a resignation counts before what waits behind it was heard',
    rare: true,
    file: 'core/vrrp/machine.ts',
    from: 'state.waitForWhatIsHere(heard.source, now);',
    to: 'this.#promote(state, now, heard.source);',
  },
  {
    name: 'an owner in a sync group speaks as soon as it wakes up',
    rare: true,
    file: 'core/vrrp/machine.ts',
    from: 'reason).willing = atOnce;',
    to: 'reason).willing = this.priority === 255;',
  },
];

/** The parts with one mistake in them, loaded from a temporary copy that is removed at once. */
export async function loadMutant(mutant: Mutant): Promise<Parts> {
  const source = fileURLToPath(new URL('../../src/', import.meta.url));
  const copy = mkdtempSync(join(tmpdir(), 'evergate-mutant-'));
  try {
    writeFileSync(join(copy, 'package.json'), '{"type":"module"}');
    for (const part of copied) cpSync(join(source, part), join(copy, part), { recursive: true });
    const file = join(copy, mutant.file);
    const parts = readFileSync(file, 'utf8').split(mutant.from);
    if (parts.length !== 2) throw new Error(`mutant "${mutant.name}": its text occurs ${parts.length - 1} times`);
    writeFileSync(file, parts.join(mutant.to));
    const load = (path: string) => import(pathToFileURL(join(copy, path)).href);
    const [machine, group, receive, bfd] = await Promise.all([
      load('core/vrrp/machine.ts'),
      load('core/vrrp/sync-group.ts'),
      load('core/vrrp/receive.ts'),
      load('engine/failover/bfd-sessions.ts'),
    ]);
    return { ...machine, ...group, ...receive, ...bfd };
  } finally {
    rmSync(copy, { recursive: true });
  }
}

const copied = [
  'core/address.ts',
  'core/limits.ts',
  'core/bfd',
  'core/vrrp',
  'engine/failover/bfd-peer.ts',
  'engine/failover/bfd-sessions.ts',
  'engine/failover/bfd-sockets.ts',
  'engine/failover/lateness.ts',
];
