/**
 * What a message through an adapter leaves on the heap: both ends of a connection in this thread, one message there and back, many times.
 * Run with a young generation so large that nothing is collected meanwhile: then the heap's growth is what was allocated.
 *
 * node --min-semi-space-size=128 --max-semi-space-size=128 test/contract/allocations.ts uring|net        prints bytes for each message there and back
 */
import { bindListener } from '../../src/adapters/listener.ts';
import type { Stream, StreamHandler, Streams } from '../../src/engine/ports/streams.ts';

const warmUpRounds = 20_000;
const rounds = 20_000;
const message = Buffer.alloc(600, 'x');

const streams: Streams =
  process.argv[2] === 'uring'
    ? (await import('../../src/adapters/uring/streams.ts')).uringWorld().streams
    : (await import('../../src/adapters/net.ts')).netStreams();

class Echo implements StreamHandler {
  readonly stream: Stream;
  constructor(stream: Stream) {
    this.stream = stream;
  }
  opened(): void {}
  received(buffer: Uint8Array, start: number, end: number): void {
    this.stream.write(buffer, start, end);
  }
  drained(): void {}
  ended(): void {}
  closed(): void {}
}

class Asker implements StreamHandler {
  stream!: Stream;
  #round = 0;
  #left = message.length;
  #before = 0;

  opened(): void {
    this.stream.write(message, 0, message.length);
  }
  received(_buffer: Uint8Array, start: number, end: number): void {
    this.#left -= end - start;
    if (this.#left > 0) return;
    this.#left = message.length;
    this.#round++;
    if (this.#round === warmUpRounds) this.#before = process.memoryUsage().heapUsed;
    if (this.#round === warmUpRounds + rounds) {
      process.stdout.write(String((process.memoryUsage().heapUsed - this.#before) / rounds));
      process.exit(0);
    }
    this.stream.write(message, 0, message.length);
  }
  drained(): void {}
  ended(): void {}
  closed(): void {}
}

const socket = bindListener({
  address: { family: 'ipv4', host: '127.0.0.1', port: 0 },
  backlog: 16,
});
streams.listen(socket, { keepAlive: false }, (stream) => new Echo(stream));
const asker = new Asker();
asker.stream = streams.connect({ to: socket.address, keepAlive: false }, asker);
