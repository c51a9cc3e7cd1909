/**
 * Streams over node:net: portable, and the fall-back wherever io_uring is not to be had.
 *
 * What keeps it cheap:
 * - Every socket reads into one static buffer of its thread (`onread`): no allocation and no copy for a read. For accepted
 *   sockets node:net has no public way to ask for that, so the connection's handle is taken before node:net makes a Socket of
 *   it, and given to a Socket of our own (`handle`, as Node's own cluster and TLS modules do). Should a later Node lose that
 *   door, `connection` and `data` events take its place, slower and otherwise the same.
 * - Writes of one handler call are copied together and leave as one system call. A Socket tells by `writableLength` whether the
 *   kernel took them at once; then nothing was queued, no callback is needed, and the memory goes straight back to the pool.
 * - What the kernel doesn't take at once waits here, not in the Socket, so that the low-water mark is ours to see.
 */
import net from 'node:net';
import type {
  AcceptOptions,
  Listener,
  ListenerSocket,
  Stream,
  StreamHandler,
  Streams,
} from '../engine/ports/streams.ts';
import { libc } from './libc.ts';
import { NetStream, onData, socketOptions } from './net-stream.ts';
import { Turn } from './net-turn.ts';

/** Kernel's own queue length for a listener whose owner did not say: the kernel lowers it to net.core.somaxconn. */
const backlogMax = 65_535;

export function netStreams(): Streams {
  const turn = new Turn();
  return {
    listen: (socket, options, accepted) => new NetListener(turn, socket, options, accepted),
    connect: (options, handler) => {
      const stream = new NetStream(turn, handler);
      stream.connect(options);
      return stream;
    },
  };
}

interface ConnectionHandle {
  close(): void;
}
interface ListeningHandle {
  onconnection?: (error: number, handle: ConnectionHandle | undefined) => void;
}

class NetListener implements Listener {
  readonly #turn: Turn;
  readonly #socket: ListenerSocket;
  readonly #options: AcceptOptions;
  readonly #accepted: (stream: Stream) => StreamHandler | undefined;
  #server: net.Server | undefined;
  #closed = false;

  constructor(
    turn: Turn,
    socket: ListenerSocket,
    options: AcceptOptions,
    accepted: (stream: Stream) => StreamHandler | undefined,
  ) {
    this.#turn = turn;
    this.#socket = socket;
    this.#options = options;
    this.#accepted = accepted;
    this.resume();
  }

  /** node:net can't stop accepting, so the duplicate is closed; connections wait with the descriptor it was made from. */
  pause(): void {
    this.#server?.close();
    this.#server = undefined;
  }

  resume(): void {
    if (this.#closed || this.#server !== undefined) return;
    const fd = duplicate(this.#socket.fd);
    const server = net.createServer({ allowHalfOpen: true, pauseOnConnect: true });
    this.#server = server;
    // Accept errors (EMFILE) come as events: libuv has already dropped that one connection and goes on.
    server.on('error', () => {});
    server.listen({ fd, backlog: this.#socket.backlog ?? backlogMax });
    const handle = (server as unknown as { _handle?: ListeningHandle })._handle;
    if (typeof handle?.onconnection === 'function') {
      handle.onconnection = (error, connection) => {
        if (error === 0 && connection !== undefined) this.#acceptHandle(connection);
      };
    } else server.on('connection', (socket) => this.#acceptSocket(socket));
  }

  close(): void {
    this.#closed = true;
    this.pause();
  }

  #acceptHandle(handle: ConnectionHandle): void {
    if (this.#server === undefined) {
      handle.close();
      return;
    }
    const stream = new NetStream(this.#turn, undefined);
    this.#welcome(
      stream,
      new net.Socket({ ...socketOptions(this.#turn.readBuffer), handle } as net.SocketConstructorOpts),
    );
  }

  #acceptSocket(socket: net.Socket): void {
    socket.on('data', onData);
    socket.pause();
    this.#welcome(new NetStream(this.#turn, undefined), socket);
  }

  #welcome(stream: NetStream, socket: net.Socket): void {
    const { address } = this.#socket;
    stream.adopt(socket, this.#options.keepAlive, address.family === 'unix' ? address.path : undefined);
    this.#turn.enter();
    const handler = this.#accepted(stream);
    stream.handler = handler;
    if (handler === undefined) stream.reset();
    else stream.start();
    this.#turn.leave();
  }
}

function duplicate(fd: number): number {
  const copy = libc()?.dup(fd);
  if (copy === undefined || copy < 0) throw new Error(`the listening socket ${fd} cannot be duplicated`);
  return copy;
}
