/** One connection over node:net. See net.ts for what keeps it cheap. */
import net from 'node:net';
import type { SocketAddress } from '../core/address.ts';
import { highWaterBytes, lowWaterBytes } from '../core/limits.ts';
import type { ConnectOptions, Stream, StreamError, StreamHandler } from '../engine/ports/streams.ts';
import { blockBytes, type Turn } from './net-turn.ts';
import { streamError } from './stream-error.ts';

interface OwnedSocket extends net.Socket {
  evergateStream: NetStream;
}

interface Block {
  readonly bytes: Uint8Array;
  end: number;
}

const nothing = new Uint8Array(0);
const nowhere: SocketAddress = { family: 'ipv4', host: '', port: 0 };

export class NetStream implements Stream {
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

  connect(options: ConnectOptions): void {
    const { to, from } = options;
    const socket = new net.Socket(socketOptions(this.#turn.readBuffer));
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

  onBytes(buffer: Uint8Array, bytes: number): void {
    if (this.#closing || this.#gone) return;
    this.#turn.enter();
    this.handler!.received(buffer, 0, bytes);
    this.#turn.leave();
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

/** Options for a Socket whose reads go to `buffer`. node:net calls the function as the Socket's own, so one serves all. */
export function socketOptions(buffer: Uint8Array): net.SocketConstructorOpts {
  return { allowHalfOpen: true, onread: { buffer, callback: onRead } } as net.SocketConstructorOpts;
}

/** Returns true: never asks node:net to stop reading. */
function onRead(this: net.Socket, bytes: number, buffer: Uint8Array): boolean {
  (this as OwnedSocket).evergateStream.onBytes(buffer, bytes);
  return true;
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
/** The listener for `data`, where the private door is shut. */
export function onData(this: net.Socket, data: Uint8Array): void {
  (this as OwnedSocket).evergateStream.onBytes(data, data.length);
}
function onFinish(this: net.Socket): void {
  (this as OwnedSocket).evergateStream.onFinish();
}

function inetAddress(host: string, port: number): SocketAddress {
  if (!host.includes(':')) return { family: 'ipv4', host, port };
  return host.startsWith('::ffff:') && host.includes('.')
    ? { family: 'ipv4', host: host.slice(7), port }
    : { family: 'ipv6', host, port };
}
