/** One recorded TCP connection, on either side, and the steps a script can take on it. */
import { type EventEmitter, once } from 'node:events';
import type { Socket } from 'node:net';
import { methodsIn, readResponses } from './http-text.ts';
import type { Step } from './scenario.ts';

export type Fate = 'open' | 'closed' | 'reset' | 'refused';

/** Longest a script waits for anything: what hasn't come by then is observed as missing. */
const waitMsMax = 5000;

export class Peer {
  readonly socket: Socket;
  received = '';
  sent = '';
  fate: Fate = 'open';
  readonly #changed: EventEmitter;

  /** @param changed tells everybody who waits that something happened anywhere. */
  constructor(socket: Socket, changed: EventEmitter) {
    this.socket = socket;
    this.#changed = changed;
    socket.on('connect', () => changed.emit('change'));
    socket.on('data', (chunk) => {
      this.received += chunk.toString('latin1');
      changed.emit('change');
    });
    socket.on('end', () => this.#ended('closed'));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#ended(error.code === 'ECONNREFUSED' ? 'refused' : 'reset'),
    );
    socket.on('close', () => this.#ended('closed'));
  }

  #ended(fate: Fate): void {
    if (this.fate === 'open' || (this.fate === 'closed' && fate === 'reset')) this.fate = fate;
    this.#changed.emit('change');
  }

  get responses() {
    return readResponses(this.received, methodsIn(this.sent), this.fate !== 'open');
  }

  /** @returns what was waited for in vain, or undefined. */
  async run(steps: readonly Step[], world: World): Promise<string | undefined> {
    for (const step of steps) {
      if ('send' in step) {
        this.sent += step.send;
        if (this.socket.writable) this.socket.write(Buffer.from(step.send, 'latin1'));
      } else if ('pause' in step) {
        await new Promise((resolve) => setTimeout(resolve, step.pause));
      } else if ('finish' in step) {
        this.socket.end();
      } else if ('close' in step) {
        this.socket.destroySoon();
      } else if ('reset' in step) {
        this.socket.resetAndDestroy();
      } else if (!(await world.wait(() => this.#reached(step, world), waitMsMax))) {
        return `waited in vain for ${JSON.stringify(step)}`;
      }
    }
    return undefined;
  }

  #reached(step: Step, world: World): boolean {
    if ('responses' in step) return this.fate !== 'open' || this.responses.finals >= step.responses;
    if ('until' in step) return this.fate !== 'open' || this.received.includes(step.until);
    if ('end' in step) return this.fate !== 'open';
    if ('requests' in step) return world.requestsSeen(step.requests[0]) >= step.requests[1];
    if ('log' in step) return world.logged(step.log);
    return true;
  }
}

/** What steps can wait for outside their own connection. */
export interface World {
  wait(reached: () => boolean, ms: number): Promise<boolean>;
  requestsSeen(server: string): number;
  logged(text: string): boolean;
}

/** Waits until `reached`, asked again after every change. */
export async function waitFor(changed: EventEmitter, reached: () => boolean, ms: number): Promise<boolean> {
  const timeout = AbortSignal.timeout(ms);
  while (!reached()) {
    try {
      await once(changed, 'change', { signal: timeout });
    } catch {
      return reached();
    }
  }
  return true;
}
