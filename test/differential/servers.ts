/** Scripted servers: they record what they get and answer as the scenario says. */
import type { EventEmitter } from 'node:events';
import { type AddressInfo, createServer, type Server as NetServer } from 'node:net';
import { type Message, readMessage } from './http-text.ts';
import { Peer, type World } from './peer.ts';
import type { Server, Step } from './scenario.ts';

export interface Connection {
  readonly peer: Peer;
  readonly checks: Message[];
}

export interface Request {
  readonly connection: Connection;
  message: Message;
}

export class ScriptedServer {
  readonly connections: Connection[] = [];
  /** In the order of arrival, checks apart. */
  readonly requests: Request[] = [];
  readonly #script: Server;
  readonly #changed: EventEmitter;
  readonly #world: World;
  readonly #net: NetServer;
  requestCount = 0;
  #checkCount = 0;

  constructor(script: Server, changed: EventEmitter, world: World) {
    this.#script = script;
    this.#changed = changed;
    this.#world = world;
    this.#net = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      const connection: Connection = { peer: new Peer(socket, changed), checks: [] };
      this.connections.push(connection);
      if (script.kind === 'tcp') this.#serveTcp(connection);
      else void this.#serveHttp(connection);
    });
  }

  async listen(): Promise<number> {
    await new Promise<void>((resolve) => this.#net.listen(0, '127.0.0.1', resolve));
    return (this.#net.address() as AddressInfo).port;
  }

  close(): void {
    this.#net.close();
    for (const { peer } of this.connections) peer.socket.destroy();
  }

  #serveTcp(connection: Connection): void {
    const steps = nth(this.#script.answers, this.requestCount++);
    this.#changed.emit('change');
    void connection.peer.run(steps, this.#world);
  }

  async #serveHttp(connection: Connection): Promise<void> {
    const { peer } = connection;
    let at = 0;
    for (;;) {
      let request: Message | undefined;
      const arrived = () => {
        request = readMessage(peer.received, at, true, false);
        return peer.fate !== 'open' || (request !== undefined && (request.complete || this.#script.early === true));
      };
      if (!(await this.#world.wait(arrived, 60_000)) || request === undefined) return endHalf(peer);
      const isCheck = / \/check/.test(request.startLine);
      const seen: Request = { connection, message: request };
      if (isCheck) connection.checks.push(request);
      else this.requests.push(seen);
      const steps = isCheck
        ? nth(this.#script.checks ?? [], this.#checkCount++)
        : nth(this.#script.answers, this.requestCount++);
      this.#changed.emit('change');
      await peer.run(steps, this.#world);
      // Answered early: the rest of the body still belongs to this request.
      if (!request.complete) {
        await this.#world.wait(() => arrived() && (request?.complete === true || peer.fate !== 'open'), 60_000);
        seen.message = request;
      }
      at = request.end;
      if (peer.fate !== 'open' || !peer.socket.writable) return endHalf(peer);
    }
  }
}

/** The other side has closed: so do we, as a web server does. */
function endHalf(peer: Peer): void {
  if (peer.socket.writable) peer.socket.end();
}

function nth(answers: readonly (readonly Step[])[], index: number): readonly Step[] {
  return answers[Math.min(index, answers.length - 1)] ?? [];
}
