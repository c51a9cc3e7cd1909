/**
 * One worker of the proxy in virtual time, with scripted clients and servers at both ends: what wire cases and exchange tests
 * run on. Dispatch and board are the real ones.
 */

import { SeededRandom, VirtualTime } from '../../sim/clock.ts';
import { Network, type NetworkOptions } from '../../sim/streams.ts';
import { compileLogFormat, neutralContext } from '../../src/core/log/format.ts';
import type { LogRecord } from '../../src/core/log/record.ts';
import { httpLog, tcpLog } from '../../src/core/log/standard.ts';
import { createBoard, openBoard } from '../../src/engine/board.ts';
import { WorkerDispatch } from '../../src/engine/dispatcher.ts';
import type { ListenerSocket, Stream, StreamError, StreamHandler } from '../../src/engine/ports/streams.ts';
import type { ProxyStats } from '../../src/engine/proxy/ports.ts';
import { ProxyWorker } from '../../src/engine/proxy/worker.ts';
import type { BackendPlan, BalancerPlan, FrontendPlan, ServerPlan, Timeouts } from '../../src/plan/balancer.ts';
import { backendPlan, balancerPlan, frontendPlan } from '../fixtures/balancer-plan.ts';

export interface Setup {
  readonly mode?: 'http' | 'tcp';
  readonly timeouts?: Partial<Timeouts>;
  readonly frontend?: Partial<FrontendPlan>;
  readonly backend?: Partial<Omit<BackendPlan, 'servers' | 'balance'>>;
  readonly servers?: readonly Partial<ServerPlan>[];
  /** Servers (by index) that refuse connections, and that never answer. */
  readonly refusing?: readonly number[];
  readonly silent?: readonly number[];
  readonly network?: NetworkOptions;
  readonly noBackend?: boolean;
  /** The case depends on how bytes are cut: it runs only uncut. */
  readonly wholeOnly?: boolean;
}

const noTimeouts: Timeouts = {
  client: 0,
  clientFin: 0,
  httpRequest: 0,
  httpKeepAlive: 0,
  connect: 0,
  queue: 0,
  server: 0,
  serverFin: 0,
  tunnel: 0,
  check: 0,
  tarpit: 0,
};

/** One end of a connection in a test's hands. Text is bytes, one character each. */
export class Peer implements StreamHandler {
  stream!: Stream;
  text = '';
  sawEnd = false;
  gone = false;
  error: StreamError | undefined;

  opened(): void {}
  received(buffer: Uint8Array, start: number, end: number): void {
    this.text += Buffer.from(buffer.subarray(start, end)).toString('latin1');
  }
  drained(): void {}
  ended(): void {
    this.sawEnd = true;
  }
  closed(error: StreamError | undefined): void {
    this.gone = true;
    this.error = error;
  }

  send(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.stream.write(bytes, 0, bytes.length);
  }

  /** What came since the last call. */
  take(): string {
    const { text } = this;
    this.text = '';
    return text;
  }
}

export class Bench {
  readonly time = new VirtualTime();
  readonly network: Network;
  readonly plan: BalancerPlan;
  readonly worker: ProxyWorker;
  /** Connections that servers accepted, in order, with the server's index. */
  readonly servers: { readonly server: number; readonly peer: Peer }[] = [];
  readonly log: string[] = [];
  readonly counts = new Map<string, number>();
  connections = 0;
  readonly #front: ListenerSocket;

  constructor(setup: Setup) {
    this.network = new Network(this.time, setup.network);
    const timeouts = { ...noTimeouts, ...setup.timeouts };
    const mode = setup.mode ?? 'http';
    const servers = (setup.servers ?? [{}]).map((server, index) => {
      const socket = this.network.bind('10.0.1.1', 8000 + index);
      if (setup.refusing?.includes(index)) this.network.unbind(socket);
      else if (setup.silent?.includes(index)) this.network.setReach(socket.address, 'silent');
      else
        this.network.streams('10.0.1.1').listen(socket, { keepAlive: false }, (stream) => {
          const peer = new Peer();
          peer.stream = stream;
          this.servers.push({ server: index, peer });
          return peer;
        });
      return { address: socket.address, ...server };
    });
    const backend = backendPlan(servers, { timeouts, mode, ...setup.backend });
    const frontend = frontendPlan(0, {
      name: 'front',
      timeouts,
      mode,
      ...(setup.noBackend ? { backend: -1 } : {}),
      ...setup.frontend,
    });
    this.plan = balancerPlan([backend], [frontend]);
    const supervisor = createBoard(this.plan, 1, () => {});
    for (const one of supervisor.backends) one.startWith(one.plan.servers.map((server) => server.weight * 16));
    const board = openBoard(supervisor.memory, this.plan, 1, 0, () => this.time.after(0, () => dispatch.poll()));
    const random = new SeededRandom(1);
    const dispatch = new WorkerDispatch(board, random);
    this.worker = new ProxyWorker({
      plan: this.plan,
      clock: this.time,
      random,
      streams: this.network.streams('10.0.0.1'),
      dispatches: dispatch.backends,
      stats: this.#stats(),
      log: {
        moment: () => (frontend.log.logAsap ? 'head' : 'end'),
        exchange: (_frontend, _backend, record) => this.log.push(render(mode, record)),
      },
    });
    this.#front = this.network.bind('10.0.0.1', 80);
    this.worker.listen([[this.#front]]);
  }

  client(): Peer {
    const peer = new Peer();
    peer.stream = this.network.streams('10.0.2.1').connect({ to: this.#front.address, keepAlive: false }, peer);
    this.settle();
    return peer;
  }

  /** Lets everything happen that is due now. */
  settle(): void {
    this.time.run(this.time.now() + (this.network.delayMs > 0 ? this.network.delayMs * 8 : 0));
  }

  wait(ms: number): void {
    this.time.run(this.time.now() + ms);
  }

  #stats(): ProxyStats {
    const { maxconn } = this.plan.frontends[0]!;
    const count = (name: string) => () => {
      this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
    };
    return {
      openConnection: () => {
        if (maxconn > 0 && this.connections >= maxconn) return false;
        this.connections++;
        return true;
      },
      closeConnection: () => {
        this.connections--;
      },
      activeConnections: () => this.connections,
      frontendConnections: () => this.connections,
      request: count('request'),
      requestError: count('requestError'),
      connectAttempt: count('connectAttempt'),
      reused: count('reused'),
      connectError: count('connectError'),
      responseError: count('responseError'),
      retry: count('retry'),
      redispatch: count('redispatch'),
      clientAbort: count('clientAbort'),
      serverAbort: count('serverAbort'),
      exchange: count('exchange'),
    };
  }
}

const line = new Uint8Array(4096);

/** HAProxy's line, without client address and date. */
function render(mode: 'http' | 'tcp', record: LogRecord): string {
  const compiled = compileLogFormat(mode === 'http' ? httpLog : tcpLog, mode, neutralContext);
  if (!compiled.ok) throw new Error(compiled.message);
  const end = compiled.format.render(record, line, 0);
  return Buffer.from(line.subarray(0, end))
    .toString('latin1')
    .replace(/^\S+ \[[^\]]*\] /, '');
}
