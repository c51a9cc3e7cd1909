/**
 * The whole outside world, as the engine sees it: time, chance, streams, packets, links and logs.
 * Adapters implement these ports; `test/contract/` holds one suite for each; the simulator has a stand-in for each.
 *
 * Nothing here is asynchronous in JavaScript's sense: results come as calls of a handler, always from the
 * adapter's own event loop, never from inside the call that asked for them.
 */

import type { IpFamily, SocketAddress } from '../core/address.ts';
import type { Mail } from '../core/smtp.ts';

// ---------------------------------------------------------------- time and chance

export interface Clock {
  /** Monotonic milliseconds with fraction, cached for the current turn of the event loop: cheap enough for the byte path. */
  now(): number;
  /** Wall clock in milliseconds since 1970: for what people read, never for intervals. */
  wall(): number;
  /** Makes an alarm, not yet set. One owner, one alarm: the engine keeps its own wheel of deadlines. */
  alarm(ring: () => void): Alarm;
}

export interface Alarm {
  /** Rings once, at or after `atMs` (monotonic). A new call replaces the old one. */
  set(atMs: number): void;
  clear(): void;
}

export interface Random {
  /** Uniform integer in [0, 2^32). */
  uint32(): number;
}

// ---------------------------------------------------------------- streams

/** Why a stream ended otherwise than by both sides' FIN. The same words for every adapter. */
export type StreamError =
  | 'refused' // ECONNREFUSED, or no such unix socket
  | 'unreachable' // EHOSTUNREACH, ENETUNREACH
  | 'timed-out' // the kernel gave up (ETIMEDOUT); our own timeouts are the engine's affair
  | 'reset' // ECONNRESET, EPIPE
  | 'resources' // EMFILE, ENOBUFS, EADDRNOTAVAIL (no free local port)
  | 'permission' // EACCES, EPERM
  | 'other';

/**
 * A byte stream: TCP or unix. Calls after `reset` or the handler's `closed` do nothing; after `close` only `reset` does something
 * (a peer that never reads can hold up an orderly end for ever: the engine's timeouts end that). Calls before `opened` are good:
 * bytes and a FIN wait until the stream is established.
 */
export interface Stream {
  /**
   * Queues bytes for sending. They are valid for this call only: the adapter sends them at once, copies them, or, when they are
   * a part of its own receive buffer, keeps that buffer until they have left. Writes made during one handler call are
   * gathered and leave when it returns (or at `flush`; at the latest before the adapter waits for events again).
   * Returns false when more than `highWaterBytes` (limits.ts) wait to be sent: stop, and go on at `drained`. Never refuses bytes.
   */
  write(buffer: Uint8Array, start: number, end: number): boolean;
  /** Sends what was gathered, now. Only needed outside a handler call of this adapter. */
  flush(): void;
  /** Bytes accepted by `write` and not yet taken by the kernel. */
  readonly unsentBytes: number;
  /** Half-close: FIN after everything written has left. Reading goes on. Later writes are dropped. */
  shutdown(): void;
  /** Orderly end: sends what is queued, then FIN. Whatever the peer still sends is dropped. `closed` follows, with no error. */
  close(): void;
  /** Abortive end (RST on TCP): queued bytes are dropped. `closed` follows, with no error. */
  reset(): void;
  /**
   * From now on the adapter may pass bytes from this stream to `to` by itself, where it has a shorter way than `received` and `write`; an
   * adapter that has none leaves the method out. It tells them by `relayed`. Others still come by `received`, at any moment: the caller
   * writes those to `to`, in their place among the rest, and nothing else before all are passed. A FIN is told by `ended`, behind all bytes.
   * It ends with these bytes, with either stream, or when `to` is shut down.
   * @param bytes how many are certain to come and to be for `to`, shown ones included; Infinity: whatever comes, much or little.
   */
  relay?(to: Stream, bytes: number): void;
  /** Back-pressure: after `pause` no `received` comes until `resume`. Idempotent. A FIN or an error may be told before, or only then. */
  pause(): void;
  resume(): void;
  /** The peer's address and ours; asked lazily, cached. Port 0 and host '' when the kernel no longer knows. */
  remoteAddress(): SocketAddress;
  localAddress(): SocketAddress;
}

/** One object a connection; the adapter calls it. None of these may throw: a throw is our own bug and ends the worker. */
export interface StreamHandler {
  /** A stream that was asked for with `connect` is established. Not called for accepted streams. */
  opened(stream: Stream): void;
  /** Bytes [start, end) of `buffer`, valid for this call only; at least one. The handler may write over them. */
  received(buffer: Uint8Array, start: number, end: number): void;
  /**
   * After `relay`: so many bytes went to the other stream without being shown; they count as written to it (`unsentBytes`).
   * 0: some that waited there have left since.
   */
  relayed?(bytes: number): void;
  /** After a `write` that returned false: the queue fell below the low-water mark. */
  drained(): void;
  /** The peer sent FIN; no more `received`. Writing is still possible. */
  ended(): void;
  /** The last call: the stream is gone. `error` is undefined after an orderly end. For `connect`: also the failure to connect. */
  closed(error: StreamError | undefined): void;
}

export interface ConnectOptions {
  readonly to: SocketAddress;
  /** Local address to bind first (`source`), port 0 for any. */
  readonly from?: SocketAddress;
  /** TCP keep-alive (`option srvtcpka`). */
  readonly keepAlive: boolean;
}

/** A listening socket that the supervisor bound and every worker shares; the adapter takes a duplicate of the descriptor. */
export interface ListenerSocket {
  readonly fd: number;
  readonly address: SocketAddress;
  /** The `backlog` it was bound with; undefined = the kernel's most. (node:net listens again on its duplicate, which sets it anew.) */
  readonly backlog?: number;
}

export interface AcceptOptions {
  /** TCP keep-alive on accepted streams (`option clitcpka`). */
  readonly keepAlive: boolean;
}

export interface Listener {
  /** Stops taking connections for now (frontend `maxconn` reached); they wait in the kernel's backlog. */
  pause(): void;
  resume(): void;
  /**
   * Closes this worker's duplicate of the descriptor. The socket itself lives while anyone else holds it. Connections that the kernel
   * had for this listener by then may still be passed to `accepted`.
   */
  close(): void;
}

export interface Streams {
  /** `accepted` returns the handler for the new stream, or undefined to refuse it (it is then reset). */
  listen(
    socket: ListenerSocket,
    options: AcceptOptions,
    accepted: (stream: Stream) => StreamHandler | undefined,
  ): Listener;
  /** Starts to connect and returns at once; `opened` or `closed` follows. The returned stream can be closed or reset before. */
  connect(options: ConnectOptions, handler: StreamHandler): Stream;
}

// ---------------------------------------------------------------- logs

export interface LogSink {
  /**
   * Hands over one finished line [start, end) for log target `target` (index in the plan's `logTargets`).
   * Never blocks and never fails: what can't be sent is dropped and counted.
   */
  send(target: number, buffer: Uint8Array, start: number, end: number): void;
}

// ---------------------------------------------------------------- packets and links (VRRP)

/** A received protocol-112 packet, header facts taken from the kernel. */
export interface ReceivedPacket {
  readonly interfaceIndex: number;
  readonly family: IpFamily;
  readonly source: string;
  readonly destination: string;
  /** IPv4 TTL or IPv6 hop limit. */
  readonly ttl: number;
  /** IPv4 identification (an authentication header covers it); 0 over IPv6. */
  readonly identification: number;
  /** The VRRP message without the IP header; a copy, the receiver may keep it. */
  readonly payload: Uint8Array;
}

/** Where one virtual router speaks and listens. */
export interface ChannelOptions {
  readonly interfaceIndex: number;
  readonly interfaceName: string;
  readonly family: IpFamily;
  /** IP protocol: 112 (VRRP), or 51 for version 2 with an authentication header (RFC 2338 §5.3.6). */
  readonly protocol: number;
  /** The group to join; undefined for unicast. */
  readonly group: string | undefined;
  /** Our address on that interface: what packets are sent from. */
  readonly source: string;
  /** IPv4 TTL or IPv6 hop limit, 1 to 255. */
  readonly ttl: number;
  /** Of the receiving socket; where channels share one, the most that any of them asks for. Undefined: the adapter's own. */
  readonly receiveBufferBytes?: number | undefined;
}

/** A received UDP datagram, header facts taken from the kernel. */
export interface ReceivedDatagram {
  readonly interfaceIndex: number;
  readonly family: IpFamily;
  readonly source: string;
  readonly destination: string;
  /** IPv4 TTL or IPv6 hop limit. */
  readonly ttl: number;
  /** A copy, the receiver may keep it. */
  readonly payload: Uint8Array;
  /** How long it had waited in the socket: 0 where nobody knows. */
  readonly waitedMs: number;
}

/** A socket that listens for datagrams. */
export interface DatagramListener {
  /** Prompt (as it begins): handed over when they arrive. Else they wait for `receiveWaiting`, and wake nobody. */
  attend(prompt: boolean): void;
  close(): void;
}

export interface DatagramRoute {
  readonly family: IpFamily;
  /** Our address; undefined: the kernel chooses. The port is one of 49152 to 65535 (RFC 5881 §4), the same for the channel's life. */
  readonly source: string | undefined;
  /** For link-local addresses; 0 where it doesn't matter. */
  readonly interfaceIndex: number;
  readonly destination: string;
  readonly port: number;
  readonly ttl: number;
}

/** UDP as BFD needs it: small datagrams whose TTL counts. */
export interface Datagrams {
  /** Calls `received` for every datagram to that port, on any of our addresses. */
  listen(
    family: IpFamily,
    port: number,
    received: (datagram: ReceivedDatagram) => void,
  ): DatagramListener | { readonly failure: string };
  /** A way to one neighbour. Nothing is ever received on it. */
  open(
    route: DatagramRoute,
  ): { send(payload: Uint8Array): SystemFailure; close(): void } | { readonly failure: string };
  /** As Packets.receiveWaiting. */
  receiveWaiting(): void;
}

/** Failures of the system are told by the name of the error number ('EPERM', 'ENODEV'); undefined means success. */
export type SystemFailure = string | undefined;

export interface Channel {
  /**
   * Sends one VRRP message; the IP header is the adapter's affair (precedence 6, no DF, as Keepalived sends it), but for its
   * identification (1 to 65535; IPv4 only).
   */
  send(payload: Uint8Array, destination: string, identification: number): SystemFailure;
  close(): void;
}

export interface Packets {
  /**
   * Joins and listens; `received` is called for every packet of that protocol and family that comes in on the interface,
   * ours excluded, unjudged. Channels with the same interface, family, protocol and group share a socket.
   */
  open(
    options: ChannelOptions,
    received: (packet: ReceivedPacket) => void,
  ): { readonly channel: Channel } | { readonly failure: string };
  /** Hands over now what waits in the sockets: before a timer is believed, what has arrived must have been heard. */
  receiveWaiting(): void;
  /** Sends a whole Ethernet frame: gratuitous ARP, unsolicited neighbour advertisement. */
  sendFrame(interfaceIndex: number, frame: Uint8Array): SystemFailure;
}

/** Hears who else on a link claims addresses: ARP, neighbour advertisements. */
export interface AddressClaims {
  /** `claimed` is called for each frame that comes in by which a station claims one of these addresses; hardware addresses have 6 bytes. */
  watch(
    interfaceIndex: number,
    addresses: readonly string[],
    claimed: (address: string, hardwareAddress: Uint8Array) => void,
  ): { close(): void } | { readonly failure: string };
}

export interface Link {
  readonly index: number;
  readonly name: string;
  /** Administratively up (IFF_UP). */
  readonly up: boolean;
  /** Up with carrier (IFF_RUNNING): frames can pass. */
  readonly running: boolean;
  readonly multicast: boolean;
  /** Length 6 on Ethernet, 0 on links without. */
  readonly hardwareAddress: Uint8Array;
  readonly mtu: number;
}

export interface LinkAddress {
  readonly interfaceIndex: number;
  readonly family: IpFamily;
  readonly address: string;
  readonly prefix: number;
  /** ip-address(8)'s number: 0 global, 253 link, 254 host. */
  readonly scope: number;
  /** IPv6 duplicate detection still runs: not usable yet. */
  readonly tentative: boolean;
}

/** What is to stand on an interface; the words of ip-address(8). */
export interface AddressRequest {
  readonly interfaceIndex: number;
  readonly family: IpFamily;
  readonly address: string;
  readonly prefix: number;
  readonly label: string | undefined;
  readonly scope: string | undefined;
  readonly broadcast: string | undefined;
  readonly peer: string | undefined;
  readonly home: boolean;
  readonly noPrefixRoute: boolean;
  /**
   * Seconds after which the kernel removes the address by itself unless it is renewed (added again); undefined = it stays.
   * IPv6 addresses get this as valid lifetime and, so that they aren't chosen as source, preferred lifetime 0 when `deprecated`.
   */
  readonly lifetimeSeconds: number | undefined;
  readonly deprecated: boolean;
  /** Preferred lifetime where it is neither 0 (`deprecated`) nor the valid one. */
  readonly preferredSeconds?: number;
  /** ip-address(8)'s `mngtmpaddr` and `autojoin`. */
  readonly manageTemporary?: boolean;
  readonly autojoin?: boolean;
}

export interface LinkWatcher {
  /** A link appeared or changed. */
  linkChanged(link: Link): void;
  linkRemoved(link: Link): void;
  addressAdded(address: LinkAddress): void;
  addressRemoved(address: LinkAddress): void;
}

/** Interfaces, addresses, routes: what `ip` shows and changes. Changes are done when the call returns. */
export interface Links {
  links(): readonly Link[];
  link(name: string): Link | undefined;
  addresses(): readonly LinkAddress[];
  /** Every later change by anyone, ourselves included. One watcher. */
  watch(watcher: LinkWatcher): void;
  addAddress(request: AddressRequest): SystemFailure;
  removeAddress(request: AddressRequest): SystemFailure;
  /** `words` as after `ip route add` or `ip rule add`. Adding what exists and removing what is gone is success. */
  addRoute(words: readonly string[], family: IpFamily): SystemFailure;
  removeRoute(words: readonly string[], family: IpFamily): SystemFailure;
  addRule(words: readonly string[], family: IpFamily): SystemFailure;
  removeRule(words: readonly string[], family: IpFamily): SystemFailure;
  /** Makes a macvlan over `base` with this hardware address, private mode, up, set so that ARP for its addresses works (`use_vmac`). */
  createVmac(
    base: Link,
    name: string,
    hardwareAddress: Uint8Array,
  ): { readonly link: Link } | { readonly failure: string };
  removeLink(index: number): SystemFailure;
  /** Reads /proc/sys/net/FAMILY/conf/INTERFACE/NAME; undefined where there is none. */
  parameter(family: IpFamily, interfaceName: string, parameter: string): number | undefined;
  /** Writes /proc/sys/net/FAMILY/conf/INTERFACE/NAME; the answer is the old value, or undefined where there is none. */
  setParameter(family: IpFamily, interfaceName: string, parameter: string, value: number): number | undefined;
}

/** An address whose traffic the host drops, though it stands on an interface (`no_accept`). */
export interface BlockedAddress {
  readonly family: IpFamily;
  readonly address: string;
  /** Where a link-local address stands; others are blocked everywhere. */
  readonly interfaceIndex: number;
}

/** Drops what is sent to an address, and what this host would send from it; questions for its hardware address go through. */
export interface Firewall {
  block(address: BlockedAddress): SystemFailure;
  /** Success too where it was not blocked. */
  unblock(address: BlockedAddress): SystemFailure;
  /** Takes away everything that `block` made. */
  close(): void;
}

/** Virtual addresses of one family, as text. */
export interface HandoffAddresses {
  readonly family: IpFamily;
  readonly addresses: readonly string[];
}

/** Who had the addresses before, and where it is reached. */
export interface OldHolder {
  readonly address: string;
  readonly interfaceIndex: number;
}

/** TCP connections that are open while their addresses move to another host. One of the two for each router, until `end`. */
export interface Handoff {
  /**
   * New holder, before it adds the addresses: segments of connections that began before this call go on to the old one, but for those that
   * were open at the last `keep`.
   */
  passOn(router: string, addresses: HandoffAddresses, holder: OldHolder): SystemFailure;
  /** Old holder, before it moves them to the loopback: nobody learns this host's hardware address for them any more. */
  keep(router: string, addresses: HandoffAddresses, ownAddress: string): SystemFailure;
  /** Success too where there is nothing. */
  end(router: string): void;
  close(): void;
}

// ---------------------------------------------------------------- the daemon's journal (VRRP)

/** What the VRRP daemon tells its operator: syslog, or the console. */
export interface Journal {
  log(severity: 'info' | 'notice' | 'warning' | 'err', message: string): void;
  /** Only told when asked for details (Keepalived's -D). */
  detail(message: string): void;
}

/** Who takes mails (SMTP, RFC 5321), without TLS and without a password, as Keepalived's `smtp_server`. */
export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** For the connection, and for each reply. */
  readonly timeoutMs: number;
}

export interface Mails {
  /** Sends in the order of the calls. `ended` is called exactly once, never from inside this call, with the reason of a failure. */
  send(server: MailServer, mail: Mail, ended: (failure: string | undefined) => void): void;
}

// ---------------------------------------------------------------- scripts and processes (VRRP)

export interface Command {
  readonly argv: readonly string[];
  readonly user: string;
  readonly group: string | undefined;
}

/** How a command ended. `unstartable`: no such file, no right, no such user. */
export type CommandResult =
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'unstartable'; readonly reason: string };

export interface CommandInspection {
  /** Where the program is; undefined when it was not found. */
  readonly path: string | undefined;
  /** It was found by searching PATH. */
  readonly searched: boolean;
  /** Why it can't be started by its user, or undefined. */
  readonly problem: string | undefined;
  /** Who but root could have changed a command that runs as root; undefined when nobody, or when it doesn't run as root. */
  readonly insecure: string | undefined;
}

export interface RunningCommand {
  /** Sends the signal to the command's whole process group. After the end it does nothing. */
  signal(name: 'SIGTERM' | 'SIGKILL'): void;
}

export interface Scripts {
  /** Starts a command without a shell, in a process group of its own, input and output closed; `ended` is called exactly once. */
  run(command: Command, ended: (result: CommandResult) => void): RunningCommand;
  /** Looks at the command's program without starting it. */
  inspect(command: Command): CommandInspection;
  /** Writes a tracked file's first value (`init_file`); with `overwrite` also over one that exists. */
  writeFile(path: string, value: number, overwrite: boolean): SystemFailure;
  /**
   * Watches a file's first word as a number (`track_file`); `changed` is called with the first value and at every change.
   * A file that is missing or holds no number counts 0.
   */
  watchFile(path: string, changed: (value: number) => void): { close(): void };
  /** Makes (or takes over) a named pipe, owned by that user. */
  openFifo(path: string, user: string | undefined, group: string | undefined): Fifo | { readonly failure: string };
  /** Watches how many processes match (`track_process`): event-driven where the kernel allows it, else by looking. */
  watchProcesses(match: ProcessMatch, changed: (count: number) => void): { close(): void };
}

/** A named pipe that a monitoring program reads. */
export interface Fifo {
  /** Writes one line; drops it when nobody reads or the pipe is full. */
  write(line: string): void;
  /** Closes and removes the pipe where we made it. */
  close(): void;
}

export interface ProcessMatch {
  readonly process: string;
  readonly parameters: string | undefined;
  readonly paramMatch: 'initial' | 'partial' | 'exact';
  readonly fullCommand: boolean;
}
