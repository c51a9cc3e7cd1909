/**
 * Requests at a fixed rate, whatever the answers do: an open loop. The time of each is counted from when it was due, not from when it
 * could be sent, so a proxy that stalls pays for everyone who had to wait meanwhile (no coordinated omission).
 *
 * node bench/load/open-loop.ts '<JSON of Load>'        prints JSON of Latency
 */
import { realClock } from '../../src/adapters/clock.ts';
import { netStreams } from '../../src/adapters/net.ts';
import { uringAvailable } from '../../src/adapters/uring/available.ts';
import type { Stream, StreamHandler, Streams } from '../../src/engine/ports/streams.ts';
import type { Clock } from '../../src/engine/ports/time.ts';
import { quantile, spread } from '../statistics.ts';

export interface Load {
  readonly port: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly connections: number;
  readonly path: string;
  /** Bytes of body to send; 0 = GET. */
  readonly upBytes: number;
  /** A new connection for each request. */
  readonly close: boolean;
}

export interface Latency {
  readonly p50Ms: number;
  /** The median of those of each second: a machine that stands still for some milliseconds spoils a second and not the figure. */
  readonly p99Ms: number;
  readonly p999Ms: number;
  readonly maxMs: number;
  /** How late the generator itself was, 99th percentile: what is near it, the machine made. */
  readonly lateMs: number;
  readonly answered: number;
  /** Asked, but not answered (whole) within the patience. */
  readonly failed: number;
}

/** Everything is opened and compiled after this. */
const warmUpMs = 700;
const patienceMs = 2000;

class OpenLoop {
  readonly #load: Load;
  readonly #streams: Streams;
  readonly #request: Uint8Array;
  readonly #idle: Client[] = [];
  /** When requests were due that wait for a connection. */
  readonly #waiting: number[] = [];
  /** What was due in each second that counts. */
  readonly #seconds: { asked: number; readonly times: number[] }[];
  readonly #late: number[] = [];
  #asked = 0;
  readonly #startMs = performance.now() + 100;

  constructor(load: Load, streams: Streams) {
    this.#load = load;
    this.#streams = streams;
    this.#seconds = Array.from({ length: Math.ceil(load.seconds) }, () => ({ asked: 0, times: [] }));
    const close = load.close ? 'Connection: close\r\n' : '';
    const start =
      load.upBytes > 0
        ? `POST ${load.path} HTTP/1.1\r\nContent-Length: ${load.upBytes}\r\n`
        : `GET ${load.path} HTTP/1.1\r\n`;
    this.#request = Buffer.from(`${start}Host: bench\r\n${close}\r\n${'x'.repeat(load.upBytes)}`);
    if (!load.close) for (let i = 0; i < load.connections; i++) this.#idle.push(this.#connect());
  }

  get nextMs(): number {
    return this.#startMs + (this.#asked * 1000) / this.#load.perSecond;
  }

  /** Asks everything that is due. @returns false when all has been asked. */
  fire(): boolean {
    const now = performance.now();
    const endMs = this.#startMs + warmUpMs + this.#load.seconds * 1000;
    for (let due = this.nextMs; due <= now && due < endMs; due = this.nextMs) {
      this.#asked++;
      const second = this.#secondOf(due);
      if (second !== undefined) {
        second.asked++;
        this.#late.push(now - due);
      }
      const client = this.#load.close ? this.#connect() : this.#idle.pop();
      if (client === undefined) this.#waiting.push(due);
      else client.ask(due, this.#request);
    }
    return this.nextMs < endMs;
  }

  get outstanding(): number {
    return this.#seconds.reduce((sum, { asked, times }) => sum + asked - times.length, 0);
  }

  result(): Latency {
    const failed = this.outstanding;
    // What never came took at least until now.
    const seconds = this.#seconds.map(({ asked, times }) => [
      ...times,
      ...new Array<number>(asked - times.length).fill(patienceMs),
    ]);
    const all = Float64Array.from(seconds.flat()).sort();
    return {
      p50Ms: quantile(all, 0.5),
      p99Ms: spread(seconds.map((times) => quantile(Float64Array.from(times).sort(), 0.99))).median,
      p999Ms: quantile(all, 0.999),
      maxMs: all.at(-1) ?? Number.NaN,
      lateMs: quantile(Float64Array.from(this.#late).sort(), 0.99),
      answered: all.length - failed,
      failed,
    };
  }

  #connect(): Client {
    const client = new Client((one, due) => this.#answered(one, due));
    client.stream = this.#streams.connect(
      { to: { family: 'ipv4', host: '127.0.0.1', port: this.#load.port }, keepAlive: false },
      client,
    );
    return client;
  }

  /** Undefined while it warms up. */
  #secondOf(due: number) {
    return this.#seconds[Math.floor((due - this.#startMs - warmUpMs) / 1000)];
  }

  #answered(client: Client, due: number): void {
    this.#secondOf(due)?.times.push(performance.now() - due);
    if (this.#load.close) {
      client.stream.close();
      return;
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(client);
    else client.ask(next, this.#request);
  }
}

class Client implements StreamHandler {
  stream!: Stream;
  readonly #answered: (client: Client, due: number) => void;
  #due = 0;
  #head = '';
  #left = -1;

  constructor(answered: (client: Client, due: number) => void) {
    this.#answered = answered;
  }

  ask(due: number, request: Uint8Array): void {
    this.#due = due;
    this.#left = -1;
    this.stream.write(request, 0, request.length);
    this.stream.flush();
  }

  opened(): void {}

  received(buffer: Uint8Array, start: number, end: number): void {
    if (this.#left < 0) {
      this.#head += Buffer.from(buffer.buffer, buffer.byteOffset + start, end - start).toString('latin1');
      const headEnd = this.#head.indexOf('\r\n\r\n');
      if (headEnd < 0) return;
      const whole = headEnd + 4 + Number(/\ncontent-length: *(\d+)/i.exec(this.#head)?.[1] ?? 0);
      this.#left = whole - this.#head.length;
      this.#head = '';
    } else this.#left -= end - start;
    if (this.#left === 0) this.#answered(this, this.#due);
  }

  drained(): void {}
  ended(): void {
    this.stream.close();
  }
  closed(): void {}
}

/** Alarms on the ring are exact to microseconds; Node's timers only to milliseconds, so there it looks at the time without a pause. */
async function run(load: Load): Promise<Latency> {
  let streams = netStreams();
  let clock: Clock = realClock;
  const exact = uringAvailable() === undefined;
  if (exact) ({ streams, clock } = (await import('../../src/adapters/uring/streams.ts')).uringWorld());
  const loop = new OpenLoop(load, streams);
  await new Promise<void>((resolve) => {
    if (!exact) {
      const look = () => void (loop.fire() ? setImmediate(look) : resolve());
      look();
      return;
    }
    const alarm = clock.alarm(() => {
      if (loop.fire()) alarm.set(loop.nextMs);
      else resolve();
    });
    alarm.set(loop.nextMs);
  });
  const end = performance.now() + patienceMs;
  while (loop.outstanding > 0 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 10));
  return loop.result();
}

process.stdout.write(`${JSON.stringify(await run(JSON.parse(process.argv[2]!) as Load))}\n`, () => process.exit(0));
