/**
 * The buffers that the kernel receives into.
 *
 * They lie in one region, so that all of them are one Uint8Array to the engine and a buffer is known by its offset. The kernel
 * picks the next one from a ring of them when data comes, so idle connections hold none. They go round in a circle: few of them
 * stay in the processor's cache, many don't. So there are few at first, and more only when the kernel ran out of them.
 *
 * After a burst the circle becomes smaller again: what was not needed for a while is taken out when it comes back, half of it at
 * a time, and its memory goes back to the system.
 */
import type { Alarm, Clock } from '../../engine/ports/time.ts';
import { libc } from '../libc.ts';
import { register } from './abi.ts';
import { mapBytes } from './ledger.ts';
import { putAddress, type Ring } from './ring.ts';

/** One receive: as much as HAProxy reads at a time (its tune.bufsize), so that large bodies cost as few calls. */
export const receiveBufferBytes = 16_384;
export const receiveGroup = 1;
export const receiveBuffersFirst = 128;
/** Power of two, as the kernel wants it. 64 MiB of address space; only what was used costs memory. */
export const receiveBuffersMax = 4096;
/** How long a burst is remembered: what no moment of this time needed is too much, in milliseconds. */
export const receiveBuffersIdleMs = 5_000;
/** MADV_DONTNEED: the pages go back to the system; the next look finds zeros. */
export const dontNeed = 4;

export class ReceiveBuffers {
  /** All buffers; buffer n is [n × receiveBufferBytes, (n + 1) × receiveBufferBytes). */
  readonly bytes: Uint8Array;
  readonly address: number;
  /** Users of each buffer: the handler call it is shown to, and each piece that waits to be sent from it. */
  readonly users = new Uint8Array(receiveBuffersMax);
  readonly #ring: Ring;
  readonly #entries: Uint32Array;
  readonly #entryHalves: Uint16Array;
  readonly #clock: Clock | undefined;
  readonly #shrinking: Alarm | undefined;
  /** Buffers outside the circle; the one taken next is the last. */
  readonly #resting = Array.from({ length: receiveBuffersMax }, (_, i) => receiveBuffersMax - 1 - i);
  #tail = 0;
  /** Buffers in the circle: those that the kernel can fill, and those in use. */
  #count = 0;
  #free = 0;
  /** How many there shall be; those above it leave when they are released. */
  #wanted = 0;
  /** Fewest that were free since the last look. */
  #freeLeast = 0;
  #changed = false;

  /** @param clock of the thread's loop, for giving memory back; without it nothing is given back. */
  constructor(ring: Ring, clock?: Clock) {
    const region = mapBytes(receiveBuffersMax * receiveBufferBytes, -1, 0);
    const table = mapBytes(receiveBuffersMax * 16, -1, 0);
    const argument = mapBytes(4096, -1, 0);
    if (region === undefined || table === undefined || argument === undefined)
      throw new Error('no memory for receive buffers');
    this.#ring = ring;
    this.bytes = region.bytes;
    this.address = region.address;
    this.#entries = new Uint32Array(table.bytes.buffer);
    this.#entryHalves = new Uint16Array(table.bytes.buffer);
    this.#clock = clock;
    this.#shrinking = clock?.alarm(() => this.#shrink());
    // struct io_uring_buf_reg
    const words = new Uint32Array(argument.bytes.buffer);
    putAddress(words, 0, table.address);
    words[2] = receiveBuffersMax;
    words[3] = receiveGroup;
    if (ring.register(register.PBUF_RING, argument.address, 1) < 0)
      throw new Error('the kernel has no provided-buffer rings (before Linux 5.19)');
    this.grow();
  }

  /** Buffers that the kernel can fill. */
  get free(): number {
    return this.#free;
  }

  get count(): number {
    return this.#count;
  }

  /** Twice as many, up to the most there may be. */
  grow(): void {
    this.#wanted = Math.min(Math.max(this.#count * 2, receiveBuffersFirst), receiveBuffersMax);
    for (; this.#count < this.#wanted; this.#count++) {
      this.#free++;
      this.#provide(this.#resting.pop()!);
    }
    this.publish();
    this.#lookLater();
  }

  /** The kernel put data into `buffer`: it has one user, until `release`. */
  filled(buffer: number): void {
    this.#free--;
    if (this.#free < this.#freeLeast) this.#freeLeast = this.#free;
    this.users[buffer] = 1;
  }

  release(buffer: number): void {
    if (--this.users[buffer]! > 0) return;
    if (this.#count > this.#wanted) {
      this.#rest(buffer);
      return;
    }
    this.#free++;
    this.#provide(buffer);
  }

  #provide(buffer: number): void {
    const at = this.#tail & (receiveBuffersMax - 1);
    putAddress(this.#entries, at * 4, this.address + buffer * receiveBufferBytes);
    this.#entries[at * 4 + 2] = receiveBufferBytes;
    this.#entryHalves[at * 8 + 6] = buffer;
    this.#tail = (this.#tail + 1) & 0xffff;
    this.#changed = true;
  }

  /** Lets the kernel see what was given back. Before each wait. */
  publish(): void {
    if (!this.#changed) return;
    this.#changed = false;
    // The ring's tail lies in the reserved half-word of its first entry.
    this.#entryHalves[7] = this.#tail;
  }

  /** Gives the pages back to the system; the address range stays, so that a late look reads zeros. */
  dispose(): void {
    this.#shrinking?.clear();
    this.#forget(0, receiveBuffersMax);
  }

  // ------------------------------------------------------------ after a burst

  #lookLater(): void {
    this.#freeLeast = this.#free;
    if (this.#count > receiveBuffersFirst) this.#shrinking?.set(this.#clock!.now() + receiveBuffersIdleMs);
  }

  #shrink(): void {
    const unneeded = Math.ceil(this.#freeLeast / 2);
    this.#wanted = Math.max(receiveBuffersFirst, this.#count - unneeded);
    // What the kernel has filled and nobody has looked at yet has no user either.
    if (unneeded > 0 && this.#ring.isDrained) this.#forgetFree();
    this.#lookLater();
  }

  #rest(buffer: number): void {
    this.#count--;
    this.#forget(buffer, buffer + 1);
    this.#resting.push(buffer);
  }

  /** Those that wait in the kernel's ring stay there, but cost nothing until they are filled again. */
  #forgetFree(): void {
    const { users } = this;
    for (let from = 0; from < receiveBuffersMax; from++) {
      if (users[from]! > 0) continue;
      let to = from + 1;
      while (to < receiveBuffersMax && users[to] === 0) to++;
      this.#forget(from, to);
      from = to;
    }
  }

  #forget(from: number, to: number): void {
    libc()!.madvise(this.address + from * receiveBufferBytes, (to - from) * receiveBufferBytes, dontNeed);
  }
}
