/**
 * Memory that the kernel reads and writes: the buffers that it receives into, and the slots that bytes are sent from.
 *
 * Receive buffers lie in one region, so that all of them are one Uint8Array to the engine and a buffer is known by its offset. The
 * kernel picks the next one from a ring of them when data comes, so idle connections hold none. They go round in a circle: few of
 * them stay in the processor's cache, many don't. So there are few at first, and more only when the kernel ran out of them.
 */
import { libc } from '../libc.ts';
import { register } from './abi.ts';
import { mapBytes } from './ledger.ts';
import { putAddress, type Ring } from './ring.ts';

/** One receive: as much as HAProxy reads at a time (its tune.bufsize), so that large bodies cost as few calls. */
export const receiveBufferBytes = 16_384;
/** One slot of copied bytes: a whole receive buffer must fit (`Outbox.detach`). */
export const slotBytes = 16_384;

const receiveBuffersFirst = 128;
/** Power of two, as the kernel wants it. 64 MiB of address space; only what was used costs memory. */
const receiveBuffersMax = 4096;
export const receiveGroup = 1;

const slotsPerSlab = 64;
/** Free slots that keep their memory, 4 MiB; more are what a burst of slow readers left. */
const warmSlotsMax = 256;
/** MADV_DONTNEED: the pages go back to the system; the next look finds zeros. */
const dontNeed = 4;

export class ReceiveBuffers {
  /** All buffers; buffer n is [n × receiveBufferBytes, (n + 1) × receiveBufferBytes). */
  readonly bytes: Uint8Array;
  readonly address: number;
  /** Users of each buffer: the handler call it is shown to, and each piece that waits to be sent from it. */
  readonly users = new Uint8Array(receiveBuffersMax);
  readonly #entries: Uint32Array;
  readonly #entryHalves: Uint16Array;
  #tail = 0;
  #count = 0;
  #free = 0;
  #changed = false;

  constructor(ring: Ring) {
    const region = mapBytes(receiveBuffersMax * receiveBufferBytes, -1, 0);
    const table = mapBytes(receiveBuffersMax * 16, -1, 0);
    const argument = mapBytes(4096, -1, 0);
    if (region === undefined || table === undefined || argument === undefined)
      throw new Error('no memory for receive buffers');
    this.bytes = region.bytes;
    this.address = region.address;
    this.#entries = new Uint32Array(table.bytes.buffer);
    this.#entryHalves = new Uint16Array(table.bytes.buffer);
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
    const count = Math.min(Math.max(this.#count * 2, receiveBuffersFirst), receiveBuffersMax);
    for (let buffer = this.#count; buffer < count; buffer++) {
      this.#free++;
      this.#provide(buffer);
    }
    this.#count = count;
    this.publish();
  }

  /** The kernel put data into `buffer`: it has one user, until `release`. */
  filled(buffer: number): void {
    this.#free--;
    this.users[buffer] = 1;
  }

  release(buffer: number): void {
    if (--this.users[buffer]! > 0) return;
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
    libc()!.madvise(this.address, this.bytes.length, dontNeed);
  }
}

/** A slab of send slots. */
interface Slab {
  readonly bytes: Uint8Array;
  readonly address: number;
}

/** Copied bytes on their way out. */
export interface Slot {
  readonly slab: Slab;
  /** Place in the slab. */
  readonly start: number;
}

export class SendSlots {
  readonly #warm: Slot[] = [];
  /** Without memory, until they are used again. */
  readonly #cold: Slot[] = [];
  readonly #slabs: Slab[] = [];
  #count = 0;

  /** The most recently used one: its memory is likely in the cache. */
  take(): Slot {
    return this.#warm.pop() ?? this.#cold.pop() ?? this.#grow();
  }

  give(slot: Slot): void {
    if (this.#warm.length < warmSlotsMax) {
      this.#warm.push(slot);
      return;
    }
    libc()!.madvise(slot.slab.address + slot.start, slotBytes, dontNeed);
    this.#cold.push(slot);
  }

  get used(): number {
    return this.#count - this.#warm.length - this.#cold.length;
  }

  #grow(): Slot {
    const memory = mapBytes(slotsPerSlab * slotBytes, -1, 0);
    if (memory === undefined) throw new Error('no memory for bytes to send');
    this.#slabs.push(memory);
    this.#count += slotsPerSlab;
    for (let i = slotsPerSlab - 1; i >= 0; i--) this.#cold.push({ slab: memory, start: i * slotBytes });
    return this.#cold.pop()!;
  }

  dispose(): void {
    for (const slab of this.#slabs) libc()!.madvise(slab.address, slab.bytes.length, dontNeed);
  }
}
