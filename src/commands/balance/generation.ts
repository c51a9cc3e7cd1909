/**
 * One configuration in force: its board, its worker threads and its health checks. A reload makes a new generation beside the old one;
 * both share the listening sockets, so nothing is refused between them.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { realClock, systemRandom } from '../../adapters/clock.ts';
import { netStreams } from '../../adapters/net.ts';
import { nameServers } from '../../adapters/resolver.ts';
import { createLedger, takeBack } from '../../adapters/uring/ledger.ts';
import type { InetAddress, SocketAddress } from '../../core/address.ts';
import { supervisor as limits } from '../../core/limits.ts';
import { severities } from '../../core/log/syslog.ts';
import { type Board, createBoard } from '../../engine/board.ts';
import { Checker } from '../../engine/checker.ts';
import type { ListenerSocket } from '../../engine/ports/streams.ts';
import { Resolver } from '../../engine/resolver.ts';
import type { BalancerPlan } from '../../plan/balancer.ts';
import type { IoKind } from '../io.ts';
import type { FromWorker, ServerAddress, ToWorker, WorkerStart } from './messages.ts';
import { createWakeCells, wakeThrough } from './wake.ts';

export interface GenerationEvents {
  /** A message for the log targets of backend `backend`; -1 = of the process. */
  message(plan: BalancerPlan, backend: number, level: number, text: string): void;
  /** Something changed that may make the balancer able or unable to serve. */
  changed(): void;
}

export class Generation {
  readonly plan: BalancerPlan;
  readonly checker: Checker;
  readonly board: Board;
  /** Resolves when the last worker has ended after `softStop` or `terminate`. */
  readonly finished: Promise<void>;
  readonly #listeners: WorkerStart['listeners'];
  readonly #io: IoKind;
  readonly #events: GenerationEvents;
  readonly #wakeCells: SharedArrayBuffer;
  readonly #resolver: Resolver;
  /** Of servers whose name was resolved anew, by backend and server. */
  readonly #addresses = new Map<string, ServerAddress>();
  readonly #threads: (Thread | undefined)[];
  #state: 'running' | 'draining' | 'stopping' = 'running';
  /** Workers that have finished stay where they are: the process takes them with it. */
  #processEnds = false;
  #allFinished: () => void = () => {};

  constructor(
    plan: BalancerPlan,
    listeners: readonly (readonly ListenerSocket[])[],
    io: IoKind,
    events: GenerationEvents,
  ) {
    this.plan = plan;
    this.#listeners = listeners;
    this.#io = io;
    this.#events = events;
    this.finished = new Promise((resolve) => {
      this.#allFinished = resolve;
    });
    const workers = plan.global.nbthread;
    this.#wakeCells = createWakeCells(workers);
    this.board = createBoard(plan, workers, wakeThrough(this.#wakeCells));
    this.checker = new Checker(this.board, {
      clock: realClock,
      streams: netStreams(),
      random: systemRandom(),
      message: (backend, level, text) => {
        events.message(plan, backend, level, text);
        events.changed();
      },
      allChecked: () => events.changed(),
      sessionsToEnd: (backend, server) => this.#tellAll({ kind: 'server-down', backend, server }),
    });
    this.#resolver = new Resolver(plan, {
      clock: realClock,
      names: nameServers(plan.resolvers),
      addressOf: (backend, server) => {
        const address = this.checker.addressOf(backend, server);
        return address?.family === 'unix' ? undefined : address;
      },
      changed: (backend, server, address, told) => this.#moved(backend, server, address, told),
    });
    this.#threads = Array.from({ length: workers }, () => undefined);
  }

  /** Starts the workers and resolves when all of them take connections. Checks and name resolution begin with `startWatching`. */
  async start(): Promise<void> {
    await Promise.all(this.#threads.map((_, index) => this.#startWorker(index)));
  }

  /** True while at least one worker takes connections. */
  get accepting(): boolean {
    return this.#threads.some((thread) => thread?.listening === true);
  }

  /** Closes what is idle, and every connection after its next response; new ones are still taken. */
  drain(): void {
    if (this.#state === 'running') this.#state = 'draining';
    this.#tellAll({ kind: 'drain' });
  }

  /** Takes no new connections; `finished` resolves after the last exchange. `processEnds`: nothing else is left to do then. */
  softStop(processEnds = false): void {
    this.#state = 'stopping';
    this.#processEnds = processEnds;
    this.#stopWatching();
    this.#tellAll({ kind: 'soft-stop', processEnds });
    this.#whenAllGone();
  }

  /** Ends every connection now. */
  async terminate(processEnds = this.#processEnds): Promise<void> {
    this.#state = 'stopping';
    this.#processEnds = processEnds;
    this.#stopWatching();
    this.#tellAll({ kind: 'abort', processEnds });
    const timer = setTimeout(() => {
      for (const thread of this.#threads) void thread?.worker.terminate();
    }, limits.abortMsMax);
    this.#whenAllGone();
    await this.finished;
    clearTimeout(timer);
  }

  /** Gives a server another address, or none: it is then in maintenance. @param cause why there is none, for the message. */
  setServerAddress(backend: number, server: number, address: SocketAddress | undefined, cause?: string): void {
    this.#addresses.set(`${backend} ${server}`, { backend, server, address });
    this.checker.setAddress(backend, server, address, cause);
    this.#tellAll({ kind: 'server-address', backend, server, address });
    this.#events.changed();
  }

  #moved(
    backend: number,
    server: number,
    address: InetAddress | undefined,
    told: { readonly by: string; readonly cause: string },
  ): void {
    const before = this.checker.addressOf(backend, server);
    const plan = this.plan.backends[backend]!;
    if (before !== undefined && before.family !== 'unix' && address !== undefined) {
      const who = `${plan.name}/${plan.servers[server]!.name}`;
      const text = `${who} changed its IP from ${before.host} to ${address.host} by ${told.by}.`;
      this.#events.message(this.plan, backend, severities.notice, text);
    }
    this.setServerAddress(backend, server, address, told.cause);
  }

  /** Health checks and the resolution of names. */
  startWatching(): void {
    this.checker.start();
    this.#resolver.start();
  }

  #stopWatching(): void {
    this.checker.stop();
    this.#resolver.stop();
  }

  /** After a reload: servers of the same names go on with the health and, where their names are resolved again, the addresses they had. */
  resumeFrom(earlier: Generation): void {
    this.checker.resumeFrom(earlier.checker);
    for (const { backend, server, address } of earlier.#addresses.values()) {
      const before = earlier.plan.backends[backend]!;
      const known = before.servers[server]!;
      const now = this.plan.backends.find(({ name }) => name === before.name);
      const same = now?.servers.find(({ name, hostname }) => name === known.name && hostname === known.hostname);
      if (now === undefined || same === undefined || same.resolvers < 0 || address?.family === 'unix') continue;
      const here = address === undefined ? undefined : { ...address, port: same.port };
      this.setServerAddress(now.index, same.index, here);
    }
  }

  #tellAll(message: ToWorker): void {
    for (const thread of this.#threads) thread?.worker.postMessage(message);
  }

  async #startWorker(index: number): Promise<void> {
    const start: WorkerStart = {
      plan: this.plan,
      board: this.board.memory,
      workers: this.plan.global.nbthread,
      index,
      wakeCells: this.#wakeCells,
      listeners: this.#listeners,
      addresses: [...this.#addresses.values()],
      ledger: this.#io === 'uring' ? createLedger() : undefined,
    };
    const entry = new URL(`./worker${extname(import.meta.url)}`, import.meta.url);
    const worker = new Worker(entry, {
      workerData: start,
      name: `worker ${index + 1}`,
      resourceLimits: { maxYoungGenerationSizeMb: limits.workerYoungMiBMax },
    });
    const thread: Thread = { worker, listening: false, startedAt: realClock.now() };
    this.#threads[index] = thread;
    await new Promise<void>((resolve) => {
      worker.on('message', (message: FromWorker) => {
        if (message.kind === 'listening') {
          thread.listening = true;
          this.#events.changed();
          resolve();
        } else if (message.kind === 'finished') {
          if (this.#processEnds) this.#ended(index, thread);
        } else if (message.kind === 'not-pinned') {
          const cpus = this.plan.global.cpuMap[index]?.join(',');
          this.#events.message(
            this.plan,
            -1,
            severities.warning,
            `Worker thread ${index + 1} is not bound to CPUs ${cpus} (cpu-map): ${message.reason}`,
          );
        }
      });
      let cause = 'terminated';
      worker.on('error', (error) => {
        cause = error instanceof Error ? (error.stack ?? error.message) : String(error);
      });
      worker.on('exit', () => {
        if (this.#state !== 'stopping')
          this.#events.message(
            this.plan,
            -1,
            severities.emerg,
            `Worker thread ${index + 1} crashed and is replaced: ${cause}`,
          );
        resolve();
        if (start.ledger !== undefined) takeBack(start.ledger);
        this.#ended(index, thread);
      });
    });
  }

  /** A worker's thread is gone: after a stop that was wanted; otherwise it crashed, and another one takes its place. */
  #ended(index: number, thread: Thread): void {
    if (this.#threads[index] !== thread) return;
    this.#threads[index] = undefined;
    this.board.reclaim(index);
    this.#events.changed();
    if (this.#state === 'stopping') {
      this.#whenAllGone();
      return;
    }
    // One that crashes as soon as it starts must not keep the processor busy.
    const lived = realClock.now() - thread.startedAt;
    setTimeout(
      () => {
        if (this.#state !== 'stopping') void this.#startWorker(index);
      },
      lived > limits.workerForgivenMs ? 0 : limits.workerRestartMs,
    );
  }

  #whenAllGone(): void {
    if (this.#threads.every((thread) => thread === undefined)) this.#allFinished();
  }
}

interface Thread {
  readonly worker: Worker;
  readonly startedAt: number;
  listening: boolean;
}
