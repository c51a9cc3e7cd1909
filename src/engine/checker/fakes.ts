/** A clock and servers for tests of the checker: virtual time, and a script of behaviour for each port. */
import type { SocketAddress } from '../../core/address.ts';
import { ascii } from '../../core/http1/bytes.ts';
import type { Alarm, Clock, ConnectOptions, Listener, Stream, StreamError, StreamHandler, Streams } from '../ports.ts';

export class FakeClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #due = new Map<object, { at: number; order: number; ring: () => void }>();

  now(): number {
    return this.#now;
  }
  wall(): number {
    return 1_700_000_000_000 + this.#now;
  }
  alarm(ring: () => void): Alarm {
    const key = {};
    return {
      set: (at) => this.#due.set(key, { at, order: this.#order++, ring }),
      clear: () => this.#due.delete(key),
    };
  }
  soon(work: () => void): void {
    this.alarm(work).set(this.#now);
  }
  /** Lets everything happen that is due in the next `ms`. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      let next: [object, { at: number; order: number; ring: () => void }] | undefined;
      for (const entry of this.#due)
        if (
          entry[1].at <= until &&
          (!next || entry[1].at < next[1].at || (entry[1].at === next[1].at && entry[1].order < next[1].order))
        )
          next = entry;
      if (next === undefined) break;
      this.#due.delete(next[0]);
      this.#now = Math.max(this.#now, next[1].at);
      next[1].ring();
    }
    this.#now = until;
  }
}

/** `answer` undefined: nobody accepts, and `error` is how connecting ends (undefined: never). Else the answer, then `error` or FIN if asked. */
export interface Script {
  readonly answer?: string;
  readonly error?: StreamError;
  readonly ends?: boolean;
  /** Bytes a piece that the answer comes in. */
  readonly pieces?: number;
}

export class FakeStreams implements Streams {
  readonly connects: { port: number; at: number }[] = [];
  open = 0;
  readonly #clock: FakeClock;
  readonly #scripts = new Map<number, Script>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  at(port: number, script: Script): void {
    this.#scripts.set(port, script);
  }

  listen(): Listener {
    throw new Error('the checker never listens');
  }

  connect(options: ConnectOptions, handler: StreamHandler): Stream {
    const { to } = options;
    const port = to.family === 'unix' ? 0 : to.port;
    const script = this.#scripts.get(port) ?? {};
    this.connects.push({ port, at: this.#clock.now() });
    this.open++;
    const stream = new FakeStream(to, () => this.open--);
    const step = (work: () => void) => this.#clock.soon(() => stream.alive && work());
    const close = (error: StreamError | undefined) => {
      stream.end();
      handler.closed(error);
    };
    step(() => {
      if (script.answer === undefined) {
        if (script.error !== undefined) close(script.error);
        return;
      }
      handler.opened(stream);
      const bytes = ascii(script.answer);
      const size = script.pieces ?? bytes.length;
      for (let at = 0; at < bytes.length; at += size)
        step(() => handler.received(bytes, at, Math.min(at + size, bytes.length)));
      step(() => {
        if (script.error !== undefined) close(script.error);
        else if (script.ends) handler.ended();
      });
    });
    return stream;
  }
}

class FakeStream implements Stream {
  alive = true;
  readonly unsentBytes = 0;
  readonly #to: SocketAddress;
  readonly #gone: () => void;

  constructor(to: SocketAddress, gone: () => void) {
    this.#to = to;
    this.#gone = gone;
  }
  end(): void {
    if (this.alive) this.#gone();
    this.alive = false;
  }
  close(): void {
    this.end();
  }
  reset(): void {
    this.end();
  }
  write(): boolean {
    return true;
  }
  flush(): void {}
  shutdown(): void {}
  pause(): void {}
  resume(): void {}
  remoteAddress(): SocketAddress {
    return this.#to;
  }
  localAddress(): SocketAddress {
    return { family: 'ipv4', host: '127.0.0.1', port: 1 };
  }
}
