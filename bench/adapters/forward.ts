/**
 * The least proxy that still proxies: what an adapter costs when nearly nothing stands on it.
 *
 * One thread; a request head in one read gets an X-Forwarded-For and goes to an idle server connection (or a new one), in turn;
 * the response is found by its Content-Length and passed on. No time-outs, no statistics, no errors handled: a yardstick, not a product.
 *
 * node bench/adapters/forward.ts net|uring <port> <server port>...        prints "ready" when it listens
 */
import { bindListener } from '../../src/adapters/listener.ts';
import { netStreams } from '../../src/adapters/net.ts';
import { uringWorld } from '../../src/adapters/uring/streams.ts';
import type { InetAddress } from '../../src/core/address.ts';
import type { Stream, StreamHandler, Streams } from '../../src/engine/ports/streams.ts';

const [adapter, port, ...serverPorts] = process.argv.slice(2);
const streams: Streams = adapter === 'uring' ? uringWorld().streams : netStreams();
const loopback = (to: number): InetAddress => ({ family: 'ipv4', host: '127.0.0.1', port: to });
const servers = serverPorts.map((one) => loopback(Number(one)));
const idle: ServerSide[][] = servers.map(() => []);
const forwarded = Buffer.from('X-Forwarded-For: 127.0.0.1\r\n');
let turn = 0;

class ClientSide implements StreamHandler {
  readonly stream: Stream;
  server: ServerSide | undefined;

  constructor(stream: Stream) {
    this.stream = stream;
  }

  opened(): void {}

  received(buffer: Uint8Array, start: number, end: number): void {
    let server = this.server;
    if (server === undefined) {
      const choice = turn;
      turn = turn + 1 === servers.length ? 0 : turn + 1;
      server = idle[choice]!.pop() ?? new ServerSide(choice);
      this.server = server;
      server.client = this;
    }
    const headEnd = findHeadEnd(buffer, start, end);
    server.stream.write(buffer, start, headEnd - 2);
    server.stream.write(forwarded, 0, forwarded.length);
    server.stream.write(buffer, headEnd - 2, end);
  }

  drained(): void {}

  ended(): void {
    this.stream.close();
  }

  closed(): void {
    this.server?.stream.reset();
  }
}

class ServerSide implements StreamHandler {
  readonly choice: number;
  readonly stream: Stream;
  client: ClientSide | undefined;
  #left = 0;

  constructor(choice: number) {
    this.choice = choice;
    this.stream = streams.connect({ to: servers[choice]!, keepAlive: false }, this);
  }

  opened(): void {}

  received(buffer: Uint8Array, start: number, end: number): void {
    const { client } = this;
    if (client === undefined) {
      this.stream.reset();
      return;
    }
    if (this.#left === 0) {
      const headEnd = findHeadEnd(buffer, start, end);
      this.#left = headEnd - start + contentLength(buffer, start, headEnd);
    }
    this.#left -= end - start;
    if (this.#left <= 0) {
      this.#left = 0;
      this.client = undefined;
      client.server = undefined;
      idle[this.choice]!.push(this);
    }
    if (!client.stream.write(buffer, start, end)) this.stream.pause();
  }

  drained(): void {}

  ended(): void {
    this.stream.close();
  }

  closed(): void {
    const list = idle[this.choice]!;
    const at = list.indexOf(this);
    if (at >= 0) list.splice(at, 1);
    this.client?.stream.reset();
  }
}

function findHeadEnd(buffer: Uint8Array, start: number, end: number): number {
  for (let i = start + 3; i < end; i++)
    if (buffer[i] === 10 && buffer[i - 1] === 13 && buffer[i - 2] === 10 && buffer[i - 3] === 13) return i + 1;
  return end;
}

/** Looks for "\nContent-Length: " in nginx's spelling. */
function contentLength(buffer: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end - 17; i++) {
    if (buffer[i] !== 10 || buffer[i + 1] !== 67 || buffer[i + 9] !== 76 || buffer[i + 15] !== 58) continue;
    let value = 0;
    for (let at = i + 17; buffer[at]! >= 48 && buffer[at]! <= 57; at++) value = value * 10 + buffer[at]! - 48;
    return value;
  }
  return 0;
}

const socket = bindListener({
  address: loopback(Number(port)),
  backlog: 1024,
});
streams.listen(socket, { keepAlive: false }, (stream) => new ClientSide(stream));
console.log('ready');
