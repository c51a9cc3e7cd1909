/**
 * The control socket: a unix socket on which a running half answers `status` and its like. One line asks, one line of JSON answers.
 *
 * The default is an abstract name: it belongs to the network namespace, as virtual routers and their addresses do, leaves no file behind, and
 * needs no writable folder. An abstract name has no owner and no mode, so the kernel is asked who is at the other end (SO_PEERCRED,
 * unix(7)): root and the daemon's own user are answered, and a client believes only them: root, its own user, and the one that systemd runs
 * the service as. A path has mode 0600, and its owner may open it to others.
 */
import { chmodSync, lstatSync, rmSync } from 'node:fs';
import { createServer, connect as netConnect, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { controlSocket as limits } from '../core/limits.ts';
import { libc, linux } from './libc.ts';

const SO_PEERCRED = 17;

/** The kernel's word on who is at the other end; undefined where it can't be had. */
export interface Peer {
  /** 0: in a process namespace that this one does not see. */
  readonly pid: number;
  readonly uid: number;
}

export interface ControlServerOptions {
  /** A path, or `@name` for an abstract one. */
  readonly address: string;
  /** Must not throw. The answer becomes one line of JSON. */
  readonly answer: (line: string, peer: Peer | undefined) => object;
  /** Why there is no socket: said once. */
  readonly failed: (reason: string) => void;
}

/**
 * Where a half listens: the node's name and the half's.
 * @param node a path or `@name` (`--socket`); undefined: `@evergate`. Without Linux there are no abstract names.
 */
export function controlAddress(node: string | undefined, half: 'vrrp' | 'balance'): string {
  return `${node ?? (process.platform === 'linux' ? '@evergate' : `${tmpdir()}/evergate`)}-${half}`;
}

/**
 * Listens; a name that somebody else holds is tried again until it is free (an older process that finishes its exchanges), and a file that
 * a dead process left is replaced. Whatever fails, the half goes on without.
 */
export function serveControl(options: ControlServerOptions): { close(): void } {
  const path = nodePath(options.address);
  const ownUid = process.getuid?.();
  const connections = new Set<Socket>();
  let server: Server | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;
  let said = false;

  const failed = (error: NodeJS.ErrnoException) => {
    if (closed) return;
    if (!said) options.failed(`${options.address}: ${explain(error)}`);
    said = true;
    if (error.code === 'EADDRINUSE') retry = setTimeout(listen, limits.retryMs).unref();
  };
  const accept = (socket: Socket) => {
    const peer = peerOf(socket);
    const stranger = isAbstract(options.address) && (peer === undefined || (peer.uid !== 0 && peer.uid !== ownUid));
    if (stranger || connections.size >= limits.connectionsMax) {
      socket.on('error', () => {});
      socket.end(`${JSON.stringify({ ok: false, error: stranger ? 'permission' : 'busy' })}\n`);
      return;
    }
    connections.add(socket);
    socket.on('close', () => connections.delete(socket));
    socket.unref();
    answerLines(socket, (line) => options.answer(line, peer));
  };
  const listen = () => {
    const made = createServer(accept);
    server = made;
    made.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE' || isAbstract(options.address)) failed(error);
      else replaceStale(path, listen, failed);
    });
    // Between bind and chmod the file must not be open to others either.
    const mask = process.umask(0o177);
    made.listen(path, () => {
      if (!isAbstract(options.address)) chmodSync(path, 0o600);
    });
    process.umask(mask);
    // The socket alone must not keep a half alive.
    made.unref();
  };
  listen();
  return {
    close() {
      closed = true;
      clearTimeout(retry);
      for (const socket of connections) socket.destroy();
      server?.close();
    },
  };
}

/** A socket without anybody behind it is what a killed process left. */
function replaceStale(path: string, again: () => void, inUse: (error: NodeJS.ErrnoException) => void): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() === false) {
    inUse(new Error('a file that is no socket is in the way'));
    return;
  }
  const probe = netConnect(path);
  probe.unref();
  probe.on('connect', () => {
    probe.destroy();
    inUse(Object.assign(new Error(), { code: 'EADDRINUSE' }));
  });
  probe.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'ECONNREFUSED' && error.code !== 'ENOENT') inUse(error);
    else {
      rmSync(path, { force: true });
      again();
    }
  });
}

function answerLines(socket: Socket, answer: (line: string) => object): void {
  let text = '';
  socket.setEncoding('utf8');
  socket.setTimeout(limits.idleMs, () => socket.destroy());
  socket.on('error', () => {});
  socket.on('data', (piece: string) => {
    text += piece;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n')) {
      const line = text.slice(0, end).trim();
      text = text.slice(end + 1);
      socket.write(`${JSON.stringify(answer(line))}\n`);
      // Somebody who asks and doesn't read must not fill the memory.
      if (socket.writableLength > limits.unreadBytesMax) return void socket.destroy();
    }
    if (text.length > limits.lineBytesMax) socket.destroy();
  });
}

// ---------------------------------------------------------------- asking

/** Why nothing was answered. `absent`: nobody listens there. */
export interface ControlFailure {
  readonly kind: 'absent' | 'permission' | 'broken';
  readonly reason: string;
}

/** A connection to a running half. */
export class ControlClient {
  readonly #socket: Socket;
  readonly #waiting: { resolve(answer: unknown): void; reject(error: Error): void }[] = [];
  #text = '';
  #silent = false;

  static async open(address: string): Promise<ControlClient | ControlFailure> {
    const socket = netConnect(nodePath(address));
    const failure = await new Promise<ControlFailure | undefined>((resolve) => {
      socket.once('connect', () => resolve(undefined));
      socket.once('error', (error: NodeJS.ErrnoException) => {
        const kind = error.code === 'EACCES' || error.code === 'EPERM' ? 'permission' : 'absent';
        resolve({ kind, reason: `${address}: ${explain(error)}` });
      });
    });
    if (failure !== undefined) return failure;
    const peer = isAbstract(address) ? peerOf(socket) : undefined;
    // Anybody can take an abstract name while no daemon has it.
    if (peer !== undefined && peer.uid !== 0 && peer.uid !== process.getuid?.() && !runsTheService(peer.uid)) {
      socket.destroy();
      return { kind: 'permission', reason: `${address} is held by user ${peer.uid}, whom we don't believe` };
    }
    return new ControlClient(socket);
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (piece: string) => this.#received(piece));
    socket.on('error', () => {});
    socket.on('close', () => {
      const reason = this.#silent
        ? `no answer within ${limits.answerMsMax / 1000} s`
        : 'the daemon closed the connection';
      for (const { reject } of this.#waiting.splice(0)) reject(new Error(reason));
    });
  }

  /** Rejects when the daemon ends or stays silent. */
  ask(line: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(new Error('the daemon closed the connection'));
      const timer = setTimeout(() => {
        this.#silent = true;
        this.#socket.destroy();
      }, limits.answerMsMax);
      const settle = () => clearTimeout(timer);
      this.#waiting.push({
        resolve: (answer) => {
          settle();
          resolve(answer);
        },
        reject: (error) => {
          settle();
          reject(error);
        },
      });
      this.#socket.write(`${line}\n`);
    });
  }

  /** The process that listens there, whether it answers or not; undefined: not to be known. */
  get pid(): number | undefined {
    return peerOf(this.#socket)?.pid || undefined;
  }

  close(): void {
    this.#socket.destroy();
  }

  #received(piece: string): void {
    this.#text += piece;
    for (let end = this.#text.indexOf('\n'); end >= 0; end = this.#text.indexOf('\n')) {
      const line = this.#text.slice(0, end);
      this.#text = this.#text.slice(end + 1);
      const waiting = this.#waiting.shift();
      try {
        waiting?.resolve(JSON.parse(line));
      } catch {
        waiting?.reject(new Error('the daemon answered something else than JSON'));
      }
    }
  }
}

// ---------------------------------------------------------------- names and credentials

function isAbstract(address: string): boolean {
  return address.startsWith('@');
}

/** Node writes an abstract name with a zero byte first. */
function nodePath(address: string): string {
  return isAbstract(address) ? `\0${address.slice(1)}` : address;
}

/** Only root can make a folder in /run, and systemd gives it to the unit's user (`RuntimeDirectory`, `User`). */
function runsTheService(uid: number): boolean {
  return ['/run/evergate', '/run/evergate-vrrp'].some((folder) => {
    const found = lstatSync(folder, { throwIfNoEntry: false });
    return found?.isDirectory() === true && found.uid === uid;
  });
}

/** struct ucred (unix(7)): process, user, group, each 32 bits. */
function peerOf(socket: Socket): Peer | undefined {
  const fd = (socket as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd;
  const c = libc();
  if (c === undefined || fd === undefined || fd < 0) return undefined;
  const credentials = new Uint8Array(12);
  const length = Uint8Array.of(12, 0, 0, 0);
  if (c.getsockopt(fd, linux.SOL_SOCKET, SO_PEERCRED, credentials, length) < 0) return undefined;
  const view = new DataView(credentials.buffer);
  return { pid: view.getUint32(0, true), uid: view.getUint32(4, true) };
}

function explain({ code, message }: NodeJS.ErrnoException): string {
  switch (code) {
    case 'EADDRINUSE':
      return 'another process listens there';
    case 'EACCES':
    case 'EPERM':
      return 'no permission';
    case 'ENOENT':
      return 'no such file or folder';
    case 'EROFS':
      return 'the file system is read-only';
    case 'ECONNREFUSED':
      return 'nobody listens there';
    default:
      return code ?? message;
  }
}
