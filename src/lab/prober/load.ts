/**
 * The prober: asks a service at a fixed rate, whatever it answers (open loop), on new connections and on kept ones, and
 * accounts for every request. It watches its own punctuality too, because on a busy machine the observer is late as well.
 */
import { connect, type Socket } from 'node:net';
import type { Outcome, ProbeRecord, Stall } from './outage.ts';

export interface LoadPlan {
  readonly host: string;
  readonly port: number;
  /** Value of the Host field. */
  readonly hostField: string;
  readonly path: string;
  /** Requests a second, each on a connection of its own. */
  readonly newPerSecond: number;
  /** Connections that are kept, and the requests a second on each. */
  readonly kept: number;
  readonly keptPerSecond: number;
  /**
   * How patient a client is, in milliseconds. The default of 900 is below TCP's first SYN retransmission (1 s),
   * so that a lost SYN counts as what it is: a client without an answer.
   */
  readonly patienceMs: number;
}

export const defaultLoad: Omit<LoadPlan, 'host'> = {
  port: 80,
  hostField: 'service.test',
  path: '/',
  newPerSecond: 200,
  kept: 4,
  keptPerSecond: 10,
  patienceMs: 900,
};

/** Monotonic milliseconds, the same clock in every process of the machine. */
export function monotonicMs(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1000 + nanoseconds / 1e6;
}

export interface LoadEvents {
  readonly record: (record: ProbeRecord) => void;
  readonly stall: (stall: Stall) => void;
  /** A kept connection was closed by the service between two requests: allowed, counted apart. */
  readonly keptClosed: () => void;
}

/** A turn later than this after it was due is a stall worth recording: above a timer's own granularity, in milliseconds. */
const stallMs = 4;

export class Load {
  readonly #plan: LoadPlan;
  readonly #events: LoadEvents;
  readonly #kept: KeptConnection[] = [];
  #timer: NodeJS.Timeout | undefined;
  #lastTurn = 0;
  #nextNew = 0;
  #pending = 0;
  #stopped: (() => void) | undefined;

  constructor(plan: LoadPlan, events: LoadEvents) {
    this.#plan = plan;
    this.#events = events;
  }

  start(): void {
    const now = monotonicMs();
    this.#lastTurn = now;
    this.#nextNew = now;
    for (let i = 0; i < this.#plan.kept; i++) {
      // Spread over the period, so that the kept connections don't all ask at once.
      const firstDue = now + (i * 1000) / this.#plan.keptPerSecond / this.#plan.kept;
      this.#kept.push(new KeptConnection(this.#plan, firstDue, this.#events));
    }
    this.#turn();
  }

  /** Sends nothing new and resolves when every request has its outcome. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await Promise.all(this.#kept.map((kept) => kept.finish()));
    if (this.#pending === 0) return;
    await new Promise<void>((resolve) => {
      this.#stopped = resolve;
    });
  }

  #turn(): void {
    const now = monotonicMs();
    if (now - this.#lastTurn > 1 + stallMs) this.#events.stall({ from: this.#lastTurn, to: now });
    this.#lastTurn = now;
    const spacing = 1000 / this.#plan.newPerSecond;
    for (; this.#nextNew <= now; this.#nextNew += spacing) this.#askOnce(this.#nextNew);
    for (const kept of this.#kept) kept.turn(now);
    this.#timer = setTimeout(() => this.#turn(), 1);
  }

  #askOnce(due: number): void {
    this.#pending++;
    const exchange = new Exchange(this.#plan, 'new', due, (record) => {
      this.#events.record(record);
      socket.destroy();
      if (--this.#pending === 0) this.#stopped?.();
    });
    const socket = open(this.#plan);
    attach(socket, exchange);
    socket.on('connect', () => socket.write(requestText(this.#plan, 'close')));
  }
}

/** One connection that is kept alive: opened when needed, one request at a time, opened again after it was closed. */
class KeptConnection {
  readonly #plan: LoadPlan;
  readonly #events: LoadEvents;
  #nextDue: number;
  #socket: Socket | undefined;
  #exchange: Exchange | undefined;
  #finished: (() => void) | undefined;
  /** The connection that is open has been answered on. */
  #used = false;

  constructor(plan: LoadPlan, firstDue: number, events: LoadEvents) {
    this.#plan = plan;
    this.#nextDue = firstDue;
    this.#events = events;
  }

  turn(now: number): void {
    // One at a time as a browser's connection would: a request that waits for the one before it is not sent twice.
    if (this.#nextDue > now || this.#exchange !== undefined) return;
    const due = this.#nextDue;
    const spacing = 1000 / this.#plan.keptPerSecond;
    while (this.#nextDue <= now) this.#nextDue += spacing;
    const exchange = new Exchange(this.#plan, 'keep-alive', due, (record) => {
      const nothingCame = record.outcome !== 'ok' && this.#used && exchange.isUnanswered;
      this.#events.record(nothingCame ? { ...record, onUsedConnection: true } : record);
      this.#exchange = undefined;
      this.#used = true;
      if (record.outcome !== 'ok' && record.outcome !== 'status') this.#drop();
      this.#finished?.();
    });
    this.#exchange = exchange;
    if (this.#socket === undefined) this.#open();
    else this.#socket.write(requestText(this.#plan, 'keep-alive'));
  }

  async finish(): Promise<void> {
    if (this.#exchange !== undefined)
      await new Promise<void>((resolve) => {
        this.#finished = resolve;
      });
    this.#drop();
  }

  #open(): void {
    const socket = open(this.#plan);
    this.#socket = socket;
    this.#used = false;
    socket.on('connect', () => socket.write(requestText(this.#plan, 'keep-alive')));
    socket.on('data', (bytes) => this.#exchange?.received(bytes));
    const ended = (outcome: Outcome) => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      socket.destroy();
      if (this.#exchange === undefined) this.#events.keptClosed();
      else this.#exchange.finish(outcome);
    };
    socket.on('end', () => ended('closed'));
    socket.on('error', (error: NodeJS.ErrnoException) => ended(outcomeOf(error)));
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}

/** One request and what came of it: reads just enough of HTTP to know when the answer is whole. */
class Exchange {
  readonly #kind: ProbeRecord['kind'];
  readonly #due: number;
  readonly #started = monotonicMs();
  readonly #done: (record: ProbeRecord) => void;
  readonly #patience: NodeJS.Timeout;
  #over = false;
  #text = '';

  constructor(plan: LoadPlan, kind: ProbeRecord['kind'], due: number, done: (record: ProbeRecord) => void) {
    this.#kind = kind;
    this.#due = due;
    this.#done = done;
    this.#patience = setTimeout(() => this.finish('timeout'), plan.patienceMs);
  }

  /** Not a byte has come. */
  get isUnanswered(): boolean {
    return this.#text === '';
  }

  received(bytes: Buffer | string): void {
    this.#text += typeof bytes === 'string' ? bytes : bytes.toString('latin1');
    const headEnd = this.#text.indexOf('\r\n\r\n');
    if (headEnd < 0) return;
    const head = this.#text.slice(0, headEnd);
    const length = /^content-length:\s*(\d+)/im.exec(head);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1] ?? 0);
    if (status === 0) this.finish('garbled');
    else if (length !== null && this.#text.length >= headEnd + 4 + Number(length[1]))
      this.finish(status === 200 ? 'ok' : 'status', status, servedBy(head, this.#text));
  }

  finish(outcome: Outcome, status = 0, server = ''): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#patience);
    // An answer without Content-Length ends with its connection: HAProxy's own error pages are such.
    if (outcome === 'closed') {
      const early = Number(/^HTTP\/1\.[01] (\d{3})[\s\S]*\r\n\r\n/.exec(this.#text)?.[1] ?? 0);
      if (early !== 0) {
        this.#report(early === 200 ? 'ok' : 'status', early, servedBy(this.#text, this.#text));
        return;
      }
    }
    this.#report(outcome, status, server);
  }

  #report(outcome: Outcome, status: number, server: string): void {
    const finished = monotonicMs();
    this.#done({ due: this.#due, started: this.#started, finished, outcome, status, server, kind: this.#kind });
  }
}

function servedBy(head: string, text: string): string {
  return /^x-served-by:\s*(.+?)\s*$/im.exec(head)?.[1] ?? /<title>(.*?)<\/title>/i.exec(text)?.[1] ?? '?';
}

function open(plan: LoadPlan): Socket {
  return connect({ host: plan.host, port: plan.port, noDelay: true });
}

function attach(socket: Socket, exchange: Exchange): void {
  socket.on('data', (bytes) => exchange.received(bytes));
  socket.on('end', () => exchange.finish('closed'));
  socket.on('error', (error: NodeJS.ErrnoException) => exchange.finish(outcomeOf(error)));
}

function requestText(plan: LoadPlan, connection: string): string {
  return `GET ${plan.path} HTTP/1.1\r\nHost: ${plan.hostField}\r\nConnection: ${connection}\r\n\r\n`;
}

function outcomeOf(error: NodeJS.ErrnoException): Outcome {
  switch (error.code) {
    case 'ECONNREFUSED':
      return 'refused';
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return 'unreachable';
    case 'ETIMEDOUT':
      return 'timeout';
    default:
      return 'reset';
  }
}
