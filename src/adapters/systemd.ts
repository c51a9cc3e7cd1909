/**
 * systemd's side of a service: the notification socket (sd_notify(3)), the store that keeps listening sockets over a restart
 * (systemd.service(5), FileDescriptorStoreMax), and the priority prefixes of journald (sd-daemon(3)). Outside systemd nothing here
 * does anything.
 */
import { closeSync, fstatSync } from 'node:fs';
import { type Libc, libc, linux, stableBytes } from './libc.ts';
import { encodeSockaddr } from './sockaddr.ts';

/** What systemd is told. Messages that can't be delivered are dropped: the service does not depend on who watches it. */
export interface ServiceManager {
  /** Milliseconds within which `alive` must come again (WatchdogSec); undefined: nobody waits for it. */
  readonly watchdogMs: number | undefined;
  ready(): void;
  reloading(): void;
  stopping(): void;
  alive(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** Keeps a duplicate of the descriptor under that name; a restarted service finds it in `inheritedSockets`. */
  store(name: string, fd: number): void;
  /** Closes what is kept under that name. */
  forget(name: string): void;
}

/** Undefined when the process was not started by systemd as a service of `Type=notify`. */
export function serviceManager(): ServiceManager | undefined {
  const path = process.env['NOTIFY_SOCKET'];
  if (path === undefined || path === '') return undefined;
  const c = libc();
  const to = encodeSockaddr({ family: 'unix', path: path.replace(/^@/, '\0') });
  if (c === undefined || to === undefined) return undefined;
  const send = (text: string, fd?: number) => sendDatagram(c, to, text, fd);
  return {
    watchdogMs: watchdogMs(),
    ready: () => send('READY=1'),
    reloading: () => send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => send('STOPPING=1'),
    alive: () => send('WATCHDOG=1'),
    status: (text) => send(`STATUS=${text.replaceAll('\n', ' ')}`),
    store: (name, fd) => send(`FDSTORE=1\nFDNAME=${name}`, fd),
    forget: (name) => send(`FDSTOREREMOVE=1\nFDNAME=${name}`),
  };
}

/** WATCHDOG_PID tells whom the watchdog is for; a half of `evergate run` inherits the words, but they are the launcher's. */
function watchdogMs(): number | undefined {
  const forPid = process.env['WATCHDOG_PID'];
  if (forPid !== undefined && Number(forPid) !== process.pid) return undefined;
  const microseconds = Number(process.env['WATCHDOG_USEC']);
  return microseconds > 0 ? microseconds / 1000 : undefined;
}

const firstInherited = 3;
/** As the launcher of `evergate run` passes stored sockets on: the number of the first, then their names. */
const passedOn = 'EVERGATE_SOCKETS';

/**
 * The listening sockets that an earlier life of this service left with systemd, by name. To be called once: the words are taken out of
 * the environment, so that no child takes them for its own.
 */
export function inheritedSockets(): ReadonlyMap<string, number> {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES, [passedOn]: passed } = process.env;
  for (const name of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES', passedOn]) delete process.env[name];
  if (passed !== undefined) {
    const [first, ...names] = passed.split(':');
    return new Map(names.map((name, index) => [name, Number(first) + index]));
  }
  if (Number(LISTEN_PID) !== process.pid) return new Map();
  const names = (LISTEN_FDNAMES ?? '').split(':');
  return new Map(
    Array.from({ length: Number(LISTEN_FDS) }, (_, index) => [names[index] ?? `${index}`, firstInherited + index]),
  );
}

/** The environment that makes `inheritedSockets` of a child find them, when its descriptors from `first` on are these, in this order. */
export function passOn(sockets: ReadonlyMap<string, number>, first: number): Readonly<Record<string, string>> {
  return sockets.size === 0 ? {} : { [passedOn]: [first, ...sockets.keys()].join(':') };
}

/** Closes descriptors that a child has taken over. */
export function closeDescriptors(fds: Iterable<number>): void {
  for (const fd of fds) closeSync(fd);
}

/** Whether standard error goes to the journal: it then sets date, process and priority itself (systemd.exec(5), JOURNAL_STREAM). */
export function stderrIsJournal(): boolean {
  const stream = process.env['JOURNAL_STREAM'];
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(2);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}

/** Sends one datagram, a descriptor with it if given (unix(7), SCM_RIGHTS). */
function sendDatagram(c: Libc, to: Uint8Array, text: string, fd: number | undefined): void {
  const socket = c.socket(linux.AF_UNIX, linux.SOCK_DGRAM | linux.SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  try {
    // A blocking send: systemd reads at once, and a message that is lost (READY, a socket to keep) would cost more than the wait.
    c.sendmsg(socket, message(to, new TextEncoder().encode(text), fd), linux.MSG_NOSIGNAL);
  } finally {
    c.close(socket);
  }
}

const scmRights = 1;
const messageBytes = 56; // struct msghdr on 64-bit
const vectorBytes = 16; // struct iovec
const controlBytes = 24; // struct cmsghdr (16), one int, padding
const room = 4096;
let memory: ReturnType<typeof stableBytes> | undefined;

/** struct msghdr with everything it points at behind it, in memory that does not move. */
function message(to: Uint8Array, text: Uint8Array, fd: number | undefined): Uint8Array {
  memory ??= stableBytes(room);
  const { bytes, address } = memory;
  const vectorAt = messageBytes;
  const controlAt = vectorAt + vectorBytes;
  const toAt = controlAt + controlBytes;
  const textAt = toAt + 128;
  const length = Math.min(text.length, room - textAt);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  bytes.fill(0);
  bytes.set(to, toAt);
  bytes.set(text.subarray(0, length), textAt);
  view.setBigUint64(0, address + BigInt(toAt), true); // msg_name
  view.setUint32(8, to.length, true); // msg_namelen
  view.setBigUint64(16, address + BigInt(vectorAt), true); // msg_iov
  view.setBigUint64(24, 1n, true); // msg_iovlen
  view.setBigUint64(vectorAt, address + BigInt(textAt), true);
  view.setBigUint64(vectorAt + 8, BigInt(length), true);
  if (fd !== undefined) {
    view.setBigUint64(32, address + BigInt(controlAt), true); // msg_control
    view.setBigUint64(40, BigInt(controlBytes), true); // msg_controllen
    view.setBigUint64(controlAt, 20n, true); // cmsg_len
    view.setInt32(controlAt + 8, linux.SOL_SOCKET, true);
    view.setInt32(controlAt + 12, scmRights, true);
    view.setInt32(controlAt + 16, fd, true);
  }
  return bytes.subarray(0, messageBytes);
}
