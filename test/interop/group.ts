/**
 * Two or three hosts with a VRRP daemon each, and a record of who held the virtual address when. The kernel tells of every change
 * (`ip monitor`, with its time), so nothing is missed between two looks, however late this process comes to look.
 */
import assert from 'node:assert/strict';
import { type Program, type TestHost, TestLab } from '../namespaces/lab.ts';
import { AddressRecord, type Change, overlapMs, type Span, without } from './address-record.ts';
import { crash, type Kind, startDaemon, stop } from './daemons.ts';

export interface Member {
  readonly kind: Kind;
  /** The host's own address, without prefix. */
  readonly address: string;
}

export interface Network {
  readonly virtual: string;
  /** The length of the prefix. */
  readonly bits: number;
}

/** What happened between a deed and its expected end. */
export interface Outcome {
  readonly phase: string;
  /** From the deed until the right ones, and nobody else, held the address. */
  readonly tookMs: number;
  /** How long more than one running daemon's host held it. */
  readonly twoMs: number;
  /** The deed was a start, and the time counts from when the last program was seen to run. */
  readonly started: boolean;
}

const file = '/run/vrrp.conf';
/** Nothing takes longer than some intervals of a second each, and a busy machine. */
const patienceMs = 60_000;

export class Group {
  readonly outcomes: Outcome[] = [];
  readonly #lab: TestLab;
  readonly #virtual: string;
  readonly #places: Place[];

  private constructor(lab: TestLab, virtual: string, places: Place[]) {
    this.#lab = lab;
    this.#virtual = virtual;
    this.#places = places;
  }

  static async create(members: readonly Member[], network: Network): Promise<Group> {
    const lab = await TestLab.create();
    const places: Place[] = [];
    for (const { kind, address } of members) {
      const host = await lab.host([`${address}/${network.bits}`]);
      if (address.includes(':')) {
        // Equal priorities are decided by the source of the advertisements, which is the link-local address.
        host.run('ip -6 addr flush dev eth0 scope link');
        host.run(`ip addr add fe80::${address.slice(address.lastIndexOf(':') + 1)}/64 dev eth0 nodad`);
      }
      host.write('/run/weight', '0\n');
      const monitor = host.start(['ip', '-o', '-ts', 'monitor', 'address']);
      for (let count = 1; !monitor.output.includes('127.0.0.'); count++) {
        host.run(`ip addr add 127.0.0.${count + 1}/8 dev lo`);
        await pause(20);
      }
      const record = new AddressRecord(monitor, network.virtual);
      places.push({ kind, host, record, daemon: undefined, downSince: 0, down: [] });
    }
    return new Group(lab, network.virtual, places);
  }

  async close(): Promise<void> {
    await this.#lab.close();
  }

  configure(which: number, text: string): void {
    this.#place(which).host.write(file, text);
  }

  /** Resolves when the daemon runs and listens: how long a program takes to start says nothing about who is to be active. */
  async start(which: number): Promise<void> {
    const place = this.#place(which);
    // A host that crashed comes back without the address.
    if (place.daemon !== undefined) await this.#forget(place);
    if (place.downSince !== undefined) place.down.push([place.downSince, Date.now()]);
    place.downSince = undefined;
    place.daemon = startDaemon(place.kind, place.host, file);
    await place.daemon.printed(/Entering BACKUP STATE/, patienceMs);
  }

  crash(which: number): void {
    const place = this.#place(which);
    assert.ok(place.daemon);
    place.downSince = Date.now();
    crash(place.daemon);
  }

  stop(which: number): void {
    const place = this.#place(which);
    assert.ok(place.daemon);
    void stop(place.daemon);
  }

  /** @param status that it ended with; a crash has none. */
  async ended(which: number, status: number | null): Promise<void> {
    const place = this.#place(which);
    assert.equal(await place.daemon?.ended, status);
    place.downSince ??= Date.now();
  }

  reload(which: number, text: string): void {
    this.configure(which, text);
    this.#place(which).daemon?.signalFirst('SIGHUP');
  }

  /** Into the tracked file: what is added to the priority. */
  weigh(which: number, weight: number): void {
    this.#place(which).host.write('/run/weight', `${weight}\n`);
  }

  cable(which: number, plugged: boolean): void {
    this.#place(which).host.cable(plugged);
  }

  /** The links stay up, but nobody hears anybody. */
  partition(parted: boolean): void {
    for (const place of this.#places) place.host.isolate(parted);
  }

  /** What the daemon has logged since it was started last. */
  output(which: number): string {
    return this.#place(which).daemon?.output ?? '';
  }

  /** Does something, waits until exactly these hold the address, and notes how long that took. A deed that takes its time is a start. */
  async phase(name: string, deed: () => void | Promise<void>, ...holders: number[]): Promise<void> {
    let from = Date.now();
    const done = deed();
    if (done !== undefined) {
      await done;
      from = Date.now();
    }
    const deadline = performance.now() + patienceMs;
    while (!same(this.#holders(), holders)) {
      assert.ok(performance.now() < deadline, `${name}: ${this.#holders()} instead of ${holders}\n${this.#story()}`);
      await pause(10);
    }
    const tookMs = Math.max(0, ...this.#changesSince(from).map(({ atMs }) => atMs - from));
    this.outcomes.push({ phase: name, tookMs, twoMs: this.#twoMs(from), started: done !== undefined });
  }

  /** Nothing may move for so long. */
  async quiet(name: string, forMs: number): Promise<void> {
    const before = this.#holders();
    const from = Date.now();
    await pause(forMs);
    assert.deepEqual(this.#holders(), before, `${name}\n${this.#story()}`);
    assert.deepEqual(this.#changesSince(from), [], `${name}\n${this.#story()}`);
  }

  #place(which: number): Place {
    const place = this.#places[which];
    assert.ok(place);
    return place;
  }

  /** Resolves when that is on record too: the monitor tells it at a time of its own, and a daemon that runs then would seem to have done it. */
  async #forget(place: Place): Promise<void> {
    try {
      place.host.run(`ip addr flush dev eth0 to ${this.#virtual}`);
    } catch {
      // It was not there.
    }
    const deadline = performance.now() + patienceMs;
    while (place.record.held) {
      assert.ok(performance.now() < deadline, `the leftover address is not seen to go\n${this.#story()}`);
      await pause(10);
    }
  }

  #holders(): number[] {
    return this.#places.flatMap(({ record, downSince }, which) =>
      record.held && downSince === undefined ? [which] : [],
    );
  }

  #changesSince(from: number): Change[] {
    return this.#places.flatMap(({ record }) => record.changes.filter(({ atMs }) => atMs >= from));
  }

  /** How long, since then, more than one host with a running daemon held it. */
  #twoMs(from: number): number {
    const now = Date.now();
    const spans = this.#places.flatMap(({ record, down, downSince }) => {
      const cuts: Span[] = [[0, from], ...down];
      if (downSince !== undefined) cuts.push([downSince, now]);
      return without(record.spans(now), cuts);
    });
    return overlapMs(spans);
  }

  #story(): string {
    return this.#places
      .map(({ kind, record, daemon }, which) => {
        const changes = record.changes.map(({ atMs, held }) => `${new Date(atMs).toISOString()} ${held ? '+' : '-'}`);
        return `--- ${which}, ${kind}\n${changes.join('\n')}\n${daemon?.output ?? ''}`;
      })
      .join('\n');
  }
}

interface Place {
  readonly kind: Kind;
  readonly host: TestHost;
  readonly record: AddressRecord;
  daemon: Program | undefined;
  /** Since when no daemon runs here, and so nobody answers for the address. */
  downSince: number | undefined;
  /** The earlier such times. */
  readonly down: Span[];
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, index) => value === b[index]);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
