/** The daemon's BFD sessions on one simulated host: its sockets are the simulated network, its clock is virtual, its chance has a seed. */

import type { BfdSessions } from '../../src/engine/failover/bfd-sessions.ts';
import type { ReceivedDatagram } from '../../src/engine/ports/datagrams.ts';
import type { Parts } from './parts.ts';
import { SeededRandom } from './random.ts';

export interface BfdWorld {
  now(): number;
  /** Carries a datagram from this host to an address. */
  carry(source: string, destination: string, payload: Uint8Array): void;
  lost(source: string): void;
  /** The deadline may be another one. */
  moved(): void;
}

/** As much as a socket's buffer holds: what comes when it is full is lost. */
const waitingMax = 256;

export class HostBfd {
  readonly #sessions: BfdSessions;
  readonly #world: BfdWorld;
  readonly #waiting: { readonly datagram: ReceivedDatagram; readonly at: number }[] = [];
  #prompt = true;
  #receive: (datagram: ReceivedDatagram) => void = () => {};
  /** The earliest timer that stands in the queue. */
  timerAt = Infinity;

  constructor(parts: Parts, world: BfdWorld, seed: number) {
    this.#world = world;
    const clock = {
      now: () => world.now(),
      wall: () => world.now(),
      alarm: () => ({ set: () => {}, clear: () => {} }),
    };
    const datagrams = {
      listen: (_family: string, _port: number, received: (datagram: ReceivedDatagram) => void) => {
        this.#receive = received;
        return {
          attend: (prompt: boolean) => {
            this.#prompt = prompt;
            if (prompt) datagrams.receiveWaiting();
          },
          close: () => {},
        };
      },
      open: ({ source = '', destination }: { readonly source: string | undefined; readonly destination: string }) => ({
        send: (payload: Uint8Array) => {
          world.carry(source, destination, payload);
          return undefined;
        },
        close: () => {},
      }),
      receiveWaiting: () => {
        for (const { datagram, at } of this.#waiting.splice(0))
          this.#receive({ ...datagram, waitedMs: world.now() - at });
      },
    };
    const journal = { log: () => {}, detail: () => {} };
    const random = new SeededRandom(seed);
    this.#sessions = new parts.BfdSessions(
      { clock, datagrams, journal, random },
      {
        lost: (source) => world.lost(source),
        changed: () => {},
        moved: () => world.moved(),
        answersOn: () => true,
      },
    );
  }

  /** `at`: as BfdSessions.deadline; Infinity for none. */
  deadline(): number {
    return this.#sessions.deadline();
  }

  listen(family: 'ipv4' | 'ipv6'): void {
    this.#sessions.listen(family);
  }

  follow(source: string, ownAddress: string, interfaceIndex: number, intervalMs: number): void {
    this.#sessions.follow({ source, ownAddress, interfaceIndex }, intervalMs);
  }

  received(datagram: ReceivedDatagram, stalled: boolean): void {
    if (!stalled && this.#prompt) this.#receive(datagram);
    else if (this.#waiting.length < waitingMax) this.#waiting.push({ datagram, at: this.#world.now() });
  }

  /** What waited while the process was not run. */
  receiveWaiting(): void {
    this.#sessions.receiveWaiting();
  }

  timer(dueAt: number): void {
    if (this.#sessions.judgesAt <= this.#world.now()) this.#sessions.receiveWaiting();
    this.#sessions.timer(dueAt);
  }

  close(): void {
    this.#sessions.close();
  }
}
