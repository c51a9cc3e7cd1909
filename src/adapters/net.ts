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
import type { SocketAddress } from '../core/address.ts';
import { highWaterBytes, lowWaterBytes } from '../core/limits.ts';
import type {
  AcceptOptions,
  ConnectOptions,
  Listener,
  ListenerSocket,
  Stream,
  StreamError,
  StreamHandler,
  Streams,
} from '../engine/ports.ts';
import { libc } from './libc.ts';
import { streamError } from './stream-error.ts';

/** Bytes of one read at most, and of one block of gathered writes: what node:net itself asks the kernel for. */
const blockBytes = 65_536;
/** Blocks kept for use again; more than this are left to the garbage collector. */
const idleBlocksMax = 64;
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

/** What the streams of one thread share: the read buffer, the pool of write blocks, and who has something to send. */
class Turn {
  readonly readBuffer = new Uint8Array(new ArrayBuffer(blockBytes));
  #depth = 0;
  #dirty: NetStream[] = [];
  #scheduled = false;
  readonly #blocks: Uint8Array[] = [];

  /** Around every call of a handler: writes made in between are gathered until the outermost one returns. */
  enter(): void {
    this.#depth++;
  }

  leave(): void {
    if (--this.#depth === 0 && this.#dirty.length > 0) this.#flushAll();
  }

  /** `stream` has gathered its first bytes. Outside a handler call they leave at the end of the turn at the latest. */
  gathered(stream: NetStream): void {
    this.#dirty.push(stream);
    if (this.#depth > 0 || this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(Turn.#flushLater, this);
  }

  static #flushLater(turn: Turn): void {
    turn.#scheduled = false;
    turn.#flushAll();
  }

  #flushAll(): void {
    const dirty = this.#dirty;
    // A flush calls no handler, so nothing is added while this runs.
    for (let i = 0; i < dirty.length; i++) dirty[i]!.flush();
    dirty.length = 0;
  }

  takeBlock(): Uint8Array {
    return this.#blocks.pop() ?? new Uint8Array(new ArrayBuffer(blockBytes));
  }

  returnBlock(block: Uint8Array): void {
    if (this.#blocks.length < idleBlocksMax) this.#blocks.push(block);
  }
}

/** A Socket that knows its stream, so that listeners are functions shared by all and no connection costs a closure for each. */
interface OwnedSocket extends net.Socket {
  evergateStream: NetStream;
}

interface Block {
  readonly bytes: Uint8Array;
  end: number;
}

const nothing = new Uint8Array(0);
const nowhere: SocketAddress = { family: 'ipv4', host: '', port: 0 };

class NetStream implements Stream {
  handler: StreamHandler | undefined;
  readonly #turn: Turn;
  #socket: OwnedSocket | undefined;
  /** Bytes of this handler call, and blocks that wait for the kernel to take what is before them. */
  #gather: Block | undefined;
  #queue: Block[] | undefined;
  #sending: Block | undefined;
  #queuedBytes = 0;
  #wantsDrained = false;
  #paused = false;
  #connecting = false;
  /** open → shutting (shutdown or close asked) → gone. */
  #writable: 'open' | 'fin-wanted' | 'fin-sent' = 'open';
  #closing = false;
  #gone = false;
  #peerEnded = false;
  #error: StreamError | undefined;
  #remote: SocketAddress | undefined;
  #local: SocketAddress | undefined;

  constructor(turn: Turn, handler: StreamHandler | undefined) {
    this.#turn = turn;
    this.handler = handler;
  }

  // ------------------------------------------------------------ birth

  /** Takes an accepted connection's handle (or Socket, without the private door). Reading starts with `start`. */
  adopt(socket: net.Socket, keepAlive: boolean, unixPath: string | undefined): void {
    this.#own(socket);
    if (unixPath !== undefined) {
      this.#local = { family: 'unix', path: unixPath };
      this.#remote = { family: 'unix', path: '' };
    } else {
      socket.setNoDelay(true);
      if (keepAlive) socket.setKeepAlive(true);
    }
  }

  start(): void {
    if (!this.#paused && !this.#closing && !this.#gone) this.#socket!.resume();
  }

  /** Options for a Socket of this stream: reads go to the shared buffer. */
  socketOptions(): net.SocketConstructorOpts {
    return {
      allowHalfOpen: true,
      onread: { buffer: this.#turn.readBuffer, callback: (bytes) => this.#received(this.#turn.readBuffer, bytes) },
    } as net.SocketConstructorOpts;
  }

  connect(options: ConnectOptions): void {
    const { to, from } = options;
    const socket = new net.Socket(this.socketOptions());
    this.#own(socket);
    this.#connecting = true;
    socket.once('connect', onConnect);
    try {
      if (to.family === 'unix') {
        this.#remote = to;
        this.#local = { family: 'unix', path: '' };
        socket.connect({ path: to.path });
      } else {
        socket.connect({
          host: to.host,
          port: to.port,
          family: to.family === 'ipv4' ? 4 : 6,
          noDelay: true,
          keepAlive: options.keepAlive,
          autoSelectFamily: false,
          ...(from !== undefined && from.family !== 'unix' && { localAddress: from.host, localPort: from.port }),
        } as net.TcpSocketConnectOpts);
      }
    } catch (error) {
      socket.destroy(error as Error);
    }
  }

  #own(socket: net.Socket): void {
    const owned = socket as OwnedSocket;
    owned.evergateStream = this;
    this.#socket = owned;
    socket.on('end', onEnd);
    socket.on('error', onError);
    socket.on('close', onClose);
  }

  // ------------------------------------------------------------ the port

  get unsentBytes(): number {
    return this.#queuedBytes;
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#writable !== 'open' || this.#gone) return true;
    while (start < end) {
      let block = this.#gather;
      if (block === undefined) {
        block = this.#gather = { bytes: this.#turn.takeBlock(), end: 0 };
        this.#turn.gathered(this);
      }
      const part = Math.min(end - start, blockBytes - block.end);
      block.bytes.set(start === 0 && part === buffer.length ? buffer : buffer.subarray(start, start + part), block.end);
      block.end += part;
      start += part;
      this.#queuedBytes += part;
      if (block.end === blockBytes) this.#send();
    }
    if (this.#queuedBytes <= highWaterBytes) return true;
    // Perhaps the kernel takes it all; only then is the answer known.
    this.flush();
    if (this.#queuedBytes <= highWaterBytes) return true;
    this.#wantsDrained = true;
    return false;
  }

  flush(): void {
    if (this.#gather !== undefined) this.#send();
  }

  shutdown(): void {
    if (this.#writable !== 'open' || this.#gone) return;
    this.#writable = 'fin-wanted';
    this.flush();
    this.#finWhenSent();
  }

  close(): void {
    if (this.#closing || this.#gone) return;
    this.#closing = true;
    this.#wantsDrained = false;
    if (this.#connecting) {
      this.#destroy();
      return;
    }
    this.shutdown();
    // Bytes left unread in the kernel would turn the FIN into a RST: read and drop while the queue leaves.
    this.#socket!.resume();
    if (this.#socket!.writableFinished) this.#destroy();
    else this.#socket!.once('finish', onFinish);
  }

  reset(): void {
    if (this.#gone) return;
    this.#closing = true;
    this.#gone = true;
    this.#dropQueue();
    const socket = this.#socket!;
    // While a FIN is on its way node:net can't reset: libuv refuses, and the handle would be lost.
    const shutting = this.#writable === 'fin-sent' && !socket.writableFinished;
    if (this.#connecting || shutting || this.#remote?.family === 'unix') socket.destroy();
    else socket.resetAndDestroy();
  }

  pause(): void {
    if (this.#paused || this.#gone || this.#closing) return;
    this.#paused = true;
    this.#socket?.pause();
  }

  resume(): void {
    if (!this.#paused || this.#gone || this.#closing) return;
    this.#paused = false;
    if (!this.#connecting) this.#socket?.resume();
  }

  remoteAddress(): SocketAddress {
    if (this.#remote !== undefined) return this.#remote;
    const socket = this.#socket;
    if (socket?.remoteAddress !== undefined) this.#remote = inetAddress(socket.remoteAddress, socket.remotePort ?? 0);
    return this.#remote ?? nowhere;
  }

  localAddress(): SocketAddress {
    if (this.#local !== undefined) return this.#local;
    const socket = this.#socket;
    if (socket?.localAddress !== undefined) this.#local = inetAddress(socket.localAddress, socket.localPort ?? 0);
    return this.#local ?? nowhere;
  }

  // ------------------------------------------------------------ sending

  /** Moves the gathered block to the kernel, or behind the blocks that wait. */
  #send(): void {
    const block = this.#gather!;
    this.#gather = undefined;
    if (this.#sending !== undefined || this.#connecting) {
      this.#queue ??= [];
      this.#queue.push(block);
      return;
    }
    this.#hand(block);
  }

  #hand(block: Block): void {
    const socket = this.#socket!;
    socket.write(block.end === blockBytes ? block.bytes : block.bytes.subarray(0, block.end));
    if (socket.writableLength === 0) {
      this.#queuedBytes -= block.end;
      this.#turn.returnBlock(block.bytes);
      return;
    }
    this.#sending = block;
    // The empty write is called back when everything before it is with the kernel: only a full pipe pays for a callback.
    socket.write(nothing, () => this.#sent());
  }

  #sent(): void {
    const block = this.#sending;
    if (block === undefined || this.#gone) return;
    this.#sending = undefined;
    this.#queuedBytes -= block.end;
    this.#turn.returnBlock(block.bytes);
    this.#sendQueue();
    if (this.#writable === 'fin-wanted') this.#finWhenSent();
    if (this.#wantsDrained && this.#queuedBytes <= lowWaterBytes) {
      this.#wantsDrained = false;
      this.#turn.enter();
      this.handler!.drained();
      this.#turn.leave();
    }
  }

  #sendQueue(): void {
    const queue = this.#queue;
    while (queue !== undefined && queue.length > 0 && this.#sending === undefined) this.#hand(queue.shift()!);
  }

  #finWhenSent(): void {
    if (this.#queuedBytes > 0 || this.#connecting || this.#writable !== 'fin-wanted') return;
    this.#writable = 'fin-sent';
    const socket = this.#socket!;
    socket.end();
  }

  /** What was queued is dropped; a block that the Socket still holds is left to the garbage collector. */
  #dropQueue(): void {
    this.#queuedBytes = 0;
    this.#gather = undefined;
    this.#queue = undefined;
    this.#sending = undefined;
    this.#wantsDrained = false;
  }

  #destroy(): void {
    this.#dropQueue();
    this.#socket!.destroy();
  }

  // ------------------------------------------------------------ events of the Socket

  /** Also called for the `data` event where the private door is shut. Returns true: never asks node:net to stop reading. */
  #received(buffer: Uint8Array, bytes: number): boolean {
    if (this.#closing || this.#gone) return true;
    this.#turn.enter();
    this.handler!.received(buffer, 0, bytes);
    this.#turn.leave();
    return true;
  }

  onData(data: Uint8Array): void {
    this.#received(data, data.length);
  }

  onConnect(): void {
    this.#connecting = false;
    if (this.#gone || this.#closing) return;
    this.#turn.enter();
    this.handler!.opened(this);
    this.#turn.leave();
    if (this.#gone || this.#closing) return;
    this.#sendQueue();
    if (this.#writable === 'fin-wanted') this.#finWhenSent();
    this.start();
  }

  onEnd(): void {
    if (this.#gone || this.#closing || this.#peerEnded) return;
    this.#peerEnded = true;
    this.#turn.enter();
    this.handler!.ended();
    this.#turn.leave();
  }

  onFinish(): void {
    if (this.#closing && !this.#gone) this.#destroy();
  }

  onError(error: NodeJS.ErrnoException): void {
    this.#error ??= streamError(error.code);
  }

  onClose(): void {
    // A reset or a close that was asked for is an orderly end, whatever the kernel thought of it meanwhile.
    const error = this.#gone ? undefined : this.#error;
    this.#gone = true;
    this.#dropQueue();
    const handler = this.handler;
    if (handler === undefined) return;
    this.handler = undefined;
    this.#turn.enter();
    handler.closed(error);
    this.#turn.leave();
  }
}

function onConnect(this: net.Socket): void {
  (this as OwnedSocket).evergateStream.onConnect();
}
function onEnd(this: net.Socket): void {
  (this as OwnedSocket).evergateStream.onEnd();
}
function onError(this: net.Socket, error: Error): void {
  (this as OwnedSocket).evergateStream.onError(error);
}
function onClose(this: net.Socket): void {
  (this as OwnedSocket).evergateStream.onClose();
}
function onData(this: net.Socket, data: Uint8Array): void {
  (this as OwnedSocket).evergateStream.onData(data);
}
function onFinish(this: net.Socket): void {
  (this as OwnedSocket).evergateStream.onFinish();
}

// ---------------------------------------------------------------- listening

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
    this.#welcome(stream, new net.Socket({ ...stream.socketOptions(), handle } as net.SocketConstructorOpts));
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

// ---------------------------------------------------------------- words

function inetAddress(host: string, port: number): SocketAddress {
  if (!host.includes(':')) return { family: 'ipv4', host, port };
  return host.startsWith('::ffff:') && host.includes('.')
    ? { family: 'ipv4', host: host.slice(7), port }
    : { family: 'ipv6', host, port };
}
