/**
 * Listening sockets: bound once in the supervisor, shared by all workers, and by the next configuration after a reload.
 *
 * They are made with libc, because node:net offers only some of the options of `bind` lines and lets nobody share what it bound.
 * The backlog belongs to the socket and not to a worker: while any worker or the supervisor holds the descriptor, nothing is refused.
 */
import { chmodSync, chownSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { formatSocketAddress, type SocketAddress, type UnixAddress } from '../core/address.ts';
import type { ListenerSocket } from '../engine/ports/streams.ts';
import { errno, errorName, type Libc, libc, linux } from './libc.ts';
import { decodeSockaddr, encodeSockaddr, sockaddrBytesMax } from './sockaddr.ts';

/** The part of a plan's bind line that the kernel must know. */
export interface BindOptions {
  readonly address: SocketAddress;
  /** Connections the kernel may hold for us; it lowers this to net.core.somaxconn. 0 = that most. */
  readonly backlog: number;
  readonly v6only?: boolean;
  readonly transparent?: boolean;
  /** Also bind where the address is not (yet) ours: a virtual address that the other node holds. */
  readonly freebind?: boolean;
  /** A unix socket that another process listens on is replaced; otherwise that is an error. */
  readonly replaces?: boolean;
  /** Several sockets may share this port, each with a backlog of its own (processes that don't share descriptors). */
  readonly reusePort?: boolean;
  readonly interface?: string | undefined;
  readonly mode?: number | undefined;
  readonly uid?: number | undefined;
  readonly gid?: number | undefined;
  readonly deferAccept?: boolean;
  /** 0 or absent: the kernel's own. */
  readonly tcpUserTimeoutMs?: number;
}

/** Why a socket could not be bound: `message` names the address, the reason and, where there is one, the remedy. */
export class BindError extends Error {
  readonly reason: 'in-use' | 'permission' | 'not-available' | 'other';

  constructor(reason: BindError['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

const ipFreebind = 15;
const soAcceptConn = 30;
const fSetFd = 2;
const closeOnExec = 1;
const backlogMax = 65_535;
/** Seconds that TCP_DEFER_ACCEPT waits for the first bytes: HAProxy's `defer-accept` asks for 60. */
const deferAcceptSeconds = 60;

const bindRetryMs = 10;
const bindPatienceMs = 300;

/** Binds and listens. The descriptor is close-on-exec and non-blocking. Throws BindError. */
export function bindListener(options: BindOptions): ListenerSocket {
  const c = libc();
  if (c === undefined) throw new BindError('other', 'listening sockets need Linux and its libc');
  const { address } = options;
  const sockaddr = encodeSockaddr(address);
  if (sockaddr === undefined)
    throw new BindError('other', `cannot bind ${formatSocketAddress(address)}: not an address this system knows`);
  const family = address.family === 'unix' ? linux.AF_UNIX : address.family === 'ipv4' ? linux.AF_INET : linux.AF_INET6;
  const fd = c.socket(family, linux.SOCK_STREAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
  if (fd < 0) throw failure('open a socket for', options);
  try {
    if (address.family === 'unix') return bindUnix(c, fd, address, options);
    setOptions(c, fd, options);
    bindPatiently(c, fd, sockaddr, options);
    return { fd, address: boundAddress(c, fd), backlog: listen(c, fd, options) };
  } catch (error) {
    c.close(fd);
    throw error;
  }
}

/**
 * A unix socket is bound under a name of its own and then takes its place: whoever connects finds the old one or the new one, and
 * never none.
 */
function bindUnix(c: Libc, fd: number, address: UnixAddress, options: BindOptions): ListenerSocket {
  const abstract = address.path.startsWith('\0');
  const temporary: UnixAddress = { family: 'unix', path: `${address.path}.${process.pid}.tmp` };
  // A name that leaves no room for more is bound directly.
  const bound = abstract || encodeSockaddr(temporary) === undefined ? address : temporary;
  if (options.replaces !== true) removeStale(c, address);
  else remove(bound.path);
  bindPatiently(c, fd, encodeSockaddr(bound)!, options);
  own(options, bound);
  const socket = { fd, address, backlog: listen(c, fd, options) };
  if (abstract) return socket;
  if (bound !== address) renameSync(bound.path, address.path);
  files.set(socket, lstatSync(address.path, { bigint: true }).ino);
  return socket;
}

/** The file of each unix socket, by inode: what another process has put in its place is not ours to remove. */
const files = new WeakMap<ListenerSocket, bigint>();

function remove(path: string): void {
  if (path.startsWith('\0')) return;
  try {
    unlinkSync(path);
  } catch {
    // Not there, or bind will tell the reason.
  }
}

function listen(c: Libc, fd: number, options: BindOptions): number {
  const backlog = options.backlog > 0 ? options.backlog : backlogMax;
  if (c.listen(fd, backlog) < 0) throw failure('listen on', options);
  return backlog;
}

/** Gives a socket that was bound by another process the options that can still be set. Throws BindError. */
export function tuneListener(socket: ListenerSocket, options: BindOptions): void {
  const c = libc()!;
  const off = new Uint8Array(4);
  for (const name of [linux.TCP_DEFER_ACCEPT, linux.TCP_USER_TIMEOUT])
    c.setsockopt(socket.fd, linux.IPPROTO_TCP, name, off, off.length);
  if (socket.address.family !== 'unix') setOptions(c, socket.fd, options);
  listen(c, socket.fd, options);
}

/**
 * A listening socket that came from outside (systemd keeps them over a restart).
 * @returns undefined when the descriptor is no listening socket; `close` is for one that nobody wants.
 */
export function adoptListener(fd: number): { readonly socket: ListenerSocket; close(): void } | undefined {
  const c = libc();
  const answer = new Uint8Array(4);
  if (c === undefined || c.getsockopt(fd, linux.SOL_SOCKET, soAcceptConn, answer, int32(4)) < 0) return undefined;
  if (answer[0] !== 1) return undefined;
  c.fcntl(fd, linux.F_SETFL, c.fcntl(fd, linux.F_GETFL, 0) | linux.O_NONBLOCK);
  c.fcntl(fd, fSetFd, closeOnExec);
  return { socket: { fd, address: boundAddress(c, fd), backlog: backlogMax }, close: () => void c.close(fd) };
}

/** Closes a listening socket and removes its file. Connections that wait in its backlog are reset, unless a worker still holds it. */
export function closeListener(socket: ListenerSocket): void {
  libc()?.close(socket.fd);
  const file = files.get(socket);
  if (file === undefined || socket.address.family !== 'unix') return;
  try {
    if (lstatSync(socket.address.path, { bigint: true }).ino === file) unlinkSync(socket.address.path);
  } catch {
    // Gone already: nothing of ours is left.
  }
}

/**
 * A process that used io_uring and was killed holds its listening sockets some 15 ms longer than it lives: the kernel takes its ring
 * down in the background. A balancer that is started in its place must not fail for that.
 */
function bindPatiently(c: Libc, fd: number, sockaddr: Uint8Array, options: BindOptions): void {
  for (let waitedMs = 0; c.bind(fd, sockaddr, sockaddr.length) < 0; waitedMs += bindRetryMs) {
    const error = failure('bind', options);
    if (error.reason !== 'in-use' || waitedMs >= bindPatienceMs) throw error;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, bindRetryMs);
  }
}

function setOptions(c: Libc, fd: number, options: BindOptions): void {
  const set = (level: number, name: number, value: number, what: string): void => {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setInt32(0, value, true);
    if (c.setsockopt(fd, level, name, bytes, 4) < 0) throw failure(`set ${what} for`, options);
  };
  const ipv6 = options.address.family === 'ipv6';
  // A restarted balancer must not wait for the TIME_WAIT of its last life.
  set(linux.SOL_SOCKET, linux.SO_REUSEADDR, 1, 'SO_REUSEADDR');
  // Accepted sockets inherit this: one system call saved for each connection.
  set(linux.IPPROTO_TCP, linux.TCP_NODELAY, 1, 'TCP_NODELAY');
  if (options.reusePort === true) set(linux.SOL_SOCKET, linux.SO_REUSEPORT, 1, 'SO_REUSEPORT');
  if (ipv6) set(linux.IPPROTO_IPV6, linux.IPV6_V6ONLY, options.v6only === true ? 1 : 0, 'IPV6_V6ONLY');
  // IP_FREEBIND works for both families.
  if (options.freebind === true) set(linux.IPPROTO_IP, ipFreebind, 1, 'IP_FREEBIND');
  if (options.transparent === true) {
    if (ipv6) set(linux.IPPROTO_IPV6, linux.IPV6_TRANSPARENT, 1, 'transparent');
    else set(linux.IPPROTO_IP, linux.IP_TRANSPARENT, 1, 'transparent');
  }
  if (options.deferAccept === true) set(linux.IPPROTO_TCP, linux.TCP_DEFER_ACCEPT, deferAcceptSeconds, 'defer-accept');
  const { tcpUserTimeoutMs = 0 } = options;
  if (tcpUserTimeoutMs > 0) set(linux.IPPROTO_TCP, linux.TCP_USER_TIMEOUT, tcpUserTimeoutMs, 'tcp-ut');
  if (options.interface !== undefined) {
    const name = new TextEncoder().encode(`${options.interface}\0`);
    if (c.setsockopt(fd, linux.SOL_SOCKET, linux.SO_BINDTODEVICE, name, name.length) < 0)
      throw failure(`use the interface "${options.interface}" for`, options);
  }
}

/** A socket file that nobody listens on is what a killed process left behind; one that answers belongs to somebody. */
function removeStale(c: Libc, address: UnixAddress): void {
  if (address.path.startsWith('\0')) return;
  try {
    if (!lstatSync(address.path).isSocket())
      throw new BindError(
        'in-use',
        `cannot bind ${formatSocketAddress(address)}: a file that is no socket is in the way`,
      );
  } catch (error) {
    if (error instanceof BindError) throw error;
    return; // Nothing there, or not ours to see: bind will tell.
  }
  const sockaddr = encodeSockaddr(address)!;
  const probe = c.socket(linux.AF_UNIX, linux.SOCK_STREAM | linux.SOCK_NONBLOCK | linux.SOCK_CLOEXEC, 0);
  const answer = c.connect(probe, sockaddr, sockaddr.length);
  const alive = answer === 0 || errorName(errno()) === 'EAGAIN';
  c.close(probe);
  if (alive)
    throw new BindError('in-use', `cannot bind ${formatSocketAddress(address)}: another process listens there`);
  try {
    unlinkSync(address.path);
  } catch {
    // bind tells the reason.
  }
}

function own(options: BindOptions, address: UnixAddress): void {
  if (address.path.startsWith('\0')) return;
  try {
    if (options.uid !== undefined || options.gid !== undefined)
      chownSync(address.path, options.uid ?? -1, options.gid ?? -1);
    if (options.mode !== undefined) chmodSync(address.path, options.mode);
  } catch (error) {
    unlinkSync(address.path);
    throw new BindError(
      'permission',
      `cannot give ${formatSocketAddress(address)} its owner and mode: ${(error as Error).message}`,
    );
  }
}

function boundAddress(c: Libc, fd: number): SocketAddress {
  const bytes = new Uint8Array(sockaddrBytesMax);
  const length = new Uint32Array([bytes.length]);
  c.getsockname(fd, bytes, new Uint8Array(length.buffer));
  return decodeSockaddr(bytes, length[0]!);
}

function failure(what: string, options: BindOptions): BindError {
  const code = errorName(errno());
  const where = `cannot ${what} ${formatSocketAddress(options.address)}`;
  switch (code) {
    case 'EADDRINUSE':
      return new BindError('in-use', `${where}: the address is in use by another process`);
    case 'EACCES':
    case 'EPERM':
      return new BindError(
        'permission',
        `${where}: not permitted (ports below 1024 and some options need root or CAP_NET_BIND_SERVICE, CAP_NET_ADMIN)`,
      );
    case 'EADDRNOTAVAIL':
      return new BindError(
        'not-available',
        `${where}: no interface of this machine has that address (a virtual address of the other node? then set net.ipv4.ip_nonlocal_bind=1)`,
      );
    case 'ENODEV':
      return new BindError('not-available', `${where}: there is no such interface`);
    case 'ENOENT':
      return new BindError('not-available', `${where}: its directory does not exist`);
    case 'EAFNOSUPPORT':
      return new BindError('not-available', `${where}: this machine has no ${options.address.family}`);
    case 'EMFILE':
    case 'ENFILE':
      return new BindError('other', `${where}: no file descriptors left (raise ulimit -n)`);
    default:
      return new BindError('other', `${where}: ${code}`);
  }
}

function int32(value: number): Uint8Array {
  return new Uint8Array(new Int32Array([value]).buffer);
}
