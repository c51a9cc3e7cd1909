/**
 * Ways to pass bytes between two TCP sockets, each as bare as it can be: which one the product should use is measured here
 * (docs/decisions.md, "TCP mode copies messages and splices bulk").
 *
 * node bench/prototypes/tcp-forward.ts <way> <port> <server port>...       prints "ready" when it listens
 *
 * ring-<KiB>     multishot receive into provided buffers of that size, each sent from where it lies
 * zerocopy-<KiB> the same with IORING_OP_SEND_ZC
 * splice         the ring tells that there are bytes; two splice(2) through a pipe move them
 * splice-ring    the same with two linked IORING_OP_SPLICE
 * sockmap        a BPF program redirects what arrives; nothing comes to this process
 *
 * No errors, time-outs or half-closes: when one side ends, both do.
 */

import { errno, libc, linux } from '../../src/adapters/libc.ts';
import { bindListener } from '../../src/adapters/listener.ts';
import { encodeSockaddr } from '../../src/adapters/sockaddr.ts';
import { op as known, register } from '../../src/adapters/uring/abi.ts';
import { mapBytes } from '../../src/adapters/uring/ledger.ts';
import { putAddress, Ring } from '../../src/adapters/uring/ring.ts';
import { SocketMap } from './socket-map.ts';

const op = { ...known, SPLICE: 30, SEND_ZC: 47 } as const;
const kind = { accept: 1, receive: 2, send: 3, readable: 4, writable: 5, spliced: 6, ended: 7 } as const;
const pollIn = 1;
const pollOut = 4;
const pollEnded = 0x2000 | 0x10 | 0x8; // RDHUP, HUP, ERR
const spliceFlags = 1 | 2; // MOVE, NONBLOCK
const pipeBytes = 1 << 20;
const more = 2;
const notification = 8;

const [way, port, ...serverPorts] = process.argv.slice(2);
const [method, kibibytes] = way!.split('-');
const bufferBytes = Number(kibibytes) > 0 ? Number(kibibytes) * 1024 : 16_384;
const bufferCount = Math.min(1024, (64 << 20) / bufferBytes);
const c = libc()!;
const ring = new Ring();
const sides: (Side | undefined)[] = [];
let turn = 0;

/** Buffers that the kernel receives into. */
const region = mapBytes(bufferCount * bufferBytes, -1, 0)!;
const table = mapBytes(bufferCount * 16, -1, 0)!;
const tableWords = new Uint32Array(table.bytes.buffer);
const tableHalves = new Uint16Array(table.bytes.buffer);
let tail = 0;

function provide(buffer: number): void {
  const at = tail & (bufferCount - 1);
  putAddress(tableWords, at * 4, region.address + buffer * bufferBytes);
  tableWords[at * 4 + 2] = bufferBytes;
  tableHalves[at * 8 + 6] = buffer;
  tail = (tail + 1) & 0xffff;
  tableHalves[7] = tail;
}

class Side {
  readonly fd: number;
  readonly index: number;
  other!: Side;
  /** Pipe from this side to the other. */
  readonly pipe = new Int32Array(2);
  inPipe = 0;
  /** Buffers that wait to be sent to this side: number and length, in turn. */
  readonly queue: number[] = [];
  sending = false;
  closed = false;

  constructor(fd: number) {
    this.fd = fd;
    this.index = sides.push(this) - 1;
    if (method !== 'splice') return;
    c.fcntl(fd, linux.F_SETFL, linux.O_NONBLOCK);
    pipe2(this.pipe);
  }

  receive(): void {
    const at = ring.push(known.RECV, this.fd, target(this.index, kind.receive), 0) * 16;
    ring.entries[at] = known.RECV | ((1 << 5) << 8) | (2 << 16);
    ring.entries[at + 10] = 1;
  }

  watch(what: number, events: number, flags: number): void {
    const at = ring.push(known.POLL_ADD, this.fd, target(this.index, what), 0) * 16;
    ring.entries[at + 6] = flags;
    ring.entries[at + 7] = events;
  }

  send(): void {
    if (this.sending || this.queue.length === 0) return;
    const [buffer, length] = this.queue as [number, number];
    const code = method === 'zerocopy' ? op.SEND_ZC : op.SEND;
    const at = ring.push(code, this.fd, target(this.index, kind.send), buffer) * 16;
    putAddress(ring.entries, at + 4, region.address + buffer * bufferBytes);
    ring.entries[at + 6] = length;
    ring.entries[at + 7] = 0x4100; // NOSIGNAL, WAITALL
    this.sending = true;
  }

  /** Moves what is there, until nothing is or the other side is full. */
  splice(): void {
    while (!this.closed) {
      if (this.inPipe === 0) {
        const moved = splice(this.fd, this.pipe[1]!, pipeBytes);
        if (moved === 0) close(this);
        if (moved <= 0) return;
        this.inPipe = moved;
      }
      const moved = splice(this.pipe[0]!, this.other.fd, this.inPipe);
      if (moved <= 0) {
        this.other.watch(kind.writable, pollOut, 0);
        return;
      }
      this.inPipe -= moved;
    }
  }

  spliceOnRing(): void {
    this.sending = true;
    this.#splice(this.fd, this.pipe[1]!, 1 << 3, 0);
    this.#splice(this.pipe[0]!, this.other.fd, 0, 1);
  }

  #splice(from: number, to: number, link: number, part: number): void {
    const at = ring.push(op.SPLICE, to, target(this.index, kind.spliced), part) * 16;
    ring.entries[at] = op.SPLICE | (link << 8);
    ring.entries.fill(0xffff_ffff, at + 2, at + 6);
    ring.entries[at + 6] = pipeBytes;
    ring.entries[at + 7] = spliceFlags;
    ring.entries[at + 11] = from;
  }
}

function target(index: number, what: number): number {
  return (index << 4) | what;
}

function pipe2(fds: Int32Array): void {
  const memory = new Uint8Array(fds.buffer);
  const scratch = mapBytes(4096, -1, 0)!;
  c.syscall(293, scratch.address, linux.O_NONBLOCK, 0, 0, 0, 0);
  memory.set(scratch.bytes.subarray(0, 8));
  c.munmap(scratch.address, 4096);
  c.fcntl(fds[0]!, 1031, pipeBytes); // F_SETPIPE_SZ
}

function splice(from: number, to: number, length: number): number {
  return c.syscall(275, from, 0, to, 0, length, spliceFlags);
}

function accept(fd: number): void {
  const at = ring.push(known.ACCEPT, fd, target(0, kind.accept), 0) * 16;
  ring.entries[at] = known.ACCEPT | (1 << 16);
}

function accepted(fd: number): void {
  const to = encodeSockaddr({
    family: 'ipv4',
    host: '127.0.0.1',
    port: Number(serverPorts[turn++ % serverPorts.length]),
  })!;
  const serverFd = c.socket(linux.AF_INET, linux.SOCK_STREAM, 0);
  if (c.connect(serverFd, to, to.length) < 0) throw new Error(`no server: error ${errno()}`);
  const one = new Uint8Array([1, 0, 0, 0]);
  for (const socket of [fd, serverFd]) c.setsockopt(socket, linux.IPPROTO_TCP, linux.TCP_NODELAY, one, 4);
  const client = new Side(fd);
  const server = new Side(serverFd);
  client.other = server;
  server.other = client;
  if (socketMap !== undefined && !socketMap.join(fd, serverFd)) {
    close(client);
    return;
  }
  for (const side of [client, server]) {
    if (socketMap !== undefined) side.watch(kind.ended, pollEnded, 0);
    else if (method === 'splice') side.watch(kind.readable, pollIn, 1);
    else side.receive();
  }
}

function close(side: Side): void {
  for (const one of [side, side.other]) {
    if (one.closed) continue;
    one.closed = true;
    ring.cancelAll(one.fd);
    c.shutdown(one.fd, 2);
  }
}

function completed(user: number, buffer: number, result: number, flags: number): void {
  const what = user & 15;
  if (what === 0) return;
  if (what === kind.accept) {
    accepted(result);
    return;
  }
  const side = sides[user >>> 4]!;
  switch (what) {
    case kind.receive:
      if ((flags & 1) !== 0 && result > 0) {
        side.other.queue.push(flags >>> 16, result);
        side.other.send();
      } else if (result === 0) close(side);
      if ((flags & more) === 0 && !side.closed) side.receive();
      return;
    case kind.send:
      if ((flags & notification) !== 0) {
        provide(buffer);
        return;
      }
      if ((flags & more) === 0) provide(buffer);
      side.sending = false;
      side.queue.splice(0, 2);
      side.send();
      return;
    case kind.readable:
      if (side.sending) return;
      if (way === 'splice-ring') side.spliceOnRing();
      else side.splice();
      return;
    case kind.writable:
      side.other.splice();
      return;
    case kind.spliced:
      if (buffer === 0) side.inPipe = result;
      else {
        side.sending = false;
        if (side.inPipe > 0) side.spliceOnRing();
        else if (side.inPipe === 0) close(side);
      }
      return;
    case kind.ended:
      close(side);
  }
}

const socketMap = method === 'sockmap' ? new SocketMap() : undefined;
const argument = mapBytes(4096, -1, 0)!;
const words = new Uint32Array(argument.bytes.buffer);
putAddress(words, 0, table.address);
words[2] = bufferCount;
words[3] = 1;
ring.register(register.PBUF_RING, argument.address, 1);
for (let buffer = 0; buffer < bufferCount; buffer++) provide(buffer);
const listener = bindListener({
  address: { family: 'ipv4', host: '127.0.0.1', port: Number(port) },
  backlog: 1024,
});
accept(listener.fd);
console.log('ready');
for (;;) {
  ring.submitAndWait(Number.POSITIVE_INFINITY);
  ring.take(completed);
}
