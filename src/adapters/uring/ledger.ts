/**
 * What a thread on io_uring holds of its process, written down where another thread can read it.
 *
 * Descriptors, mappings and the ring belong to the process: when the thread dies without a word (an exception, no memory left, terminated),
 * they live on. Its clients would wait for ever, and its pending accept would take wake-ups from those who live. So a thread that can die
 * alone keeps a ledger on shared memory, and whoever outlives it calls `takeBack`.
 *
 * A module belongs to one thread, and so does its ledger; without `keepLedger` nothing is written down.
 */
import koffi from 'koffi';
import { libc, linux, mapBytes as mapAnywhere } from '../libc.ts';
import { kind, kindMask } from './abi.ts';

/** Descriptors from here on are not written down (they would be lost with the thread). */
const descriptorsMax = 1 << 20;
/** Mappings likewise: buffers for 4 GiB on their way out. */
const mappingsMax = 4096;

/** Where the ring's completion queue lies: what the kernel handed over and nobody took may hold descriptors. */
export interface CompletionQueue {
  readonly memory: number;
  readonly bytes: number;
  /** Indexes of 32-bit words in that memory. */
  readonly head: number;
  readonly tail: number;
  readonly entries: number;
  readonly mask: number;
}

/** Places of the numbers before the mappings (address, length). */
const at = { ringFd: 0, memory: 1, bytes: 2, head: 3, tail: 4, entries: 5, mask: 6, mappings: 7, first: 8 } as const;
const numbersLength = at.first + mappingsMax * 2;

export function createLedger(): SharedArrayBuffer {
  return new SharedArrayBuffer(numbersLength * 8 + descriptorsMax / 8);
}

interface Pages {
  readonly numbers: Float64Array;
  readonly descriptors: Uint32Array;
}

function pagesOf(memory: SharedArrayBuffer): Pages {
  return {
    numbers: new Float64Array(memory, 0, numbersLength),
    descriptors: new Uint32Array(memory, numbersLength * 8),
  };
}

// ---------------------------------------------------------------- in the thread that may die

let own: Pages | undefined;

/** From now on what this thread opens is written down. Before it makes its ring. */
export function keepLedger(memory: SharedArrayBuffer): void {
  own = pagesOf(memory);
}

export function noteOpened(fd: number): void {
  if (own !== undefined && fd >= 0 && fd < descriptorsMax) own.descriptors[fd >> 5]! |= 1 << (fd & 31);
}

/** Before `close`: afterwards the number may be another thread's. */
export function noteClosing(fd: number): void {
  if (own !== undefined && fd >= 0 && fd < descriptorsMax) own.descriptors[fd >> 5]! &= ~(1 << (fd & 31));
}

export function noteRing(fd: number, queue: CompletionQueue): void {
  if (own === undefined) return;
  const { numbers } = own;
  numbers[at.memory] = queue.memory;
  numbers[at.bytes] = queue.bytes;
  numbers[at.head] = queue.head;
  numbers[at.tail] = queue.tail;
  numbers[at.entries] = queue.entries;
  numbers[at.mask] = queue.mask;
  // 0 = no ring: the number is kept one higher.
  numbers[at.ringFd] = fd + 1;
}

export function noteRingClosing(): void {
  if (own !== undefined) own.numbers[at.ringFd] = 0;
}

/** As that of libc.ts, and written down. */
export function mapBytes(length: number, fd: number, offset: number): ReturnType<typeof mapAnywhere> {
  const mapped = mapAnywhere(length, fd, offset);
  const count = own?.numbers[at.mappings] ?? mappingsMax;
  if (own === undefined || mapped === undefined || count === mappingsMax) return mapped;
  own.numbers[at.first + count * 2] = mapped.address;
  own.numbers[at.first + count * 2 + 1] = length;
  own.numbers[at.mappings] = count + 1;
  return mapped;
}

// ---------------------------------------------------------------- in the thread that outlives it

/**
 * Resets the connections of a thread that has ended, ends its ring, closes its hold on listeners, and gives its memory back.
 * Only once the thread no longer runs. @returns how many descriptors were left.
 */
export function takeBack(memory: SharedArrayBuffer): number {
  const c = libc();
  if (c === undefined) return 0;
  const { numbers, descriptors } = pagesOf(memory);
  const left = [...written(descriptors), ...untaken(numbers)];
  for (const fd of left) if (!isListening(fd)) c.setsockopt(fd, linux.SOL_SOCKET, linux.SO_LINGER, lingerNot, 8);
  const ring = numbers[at.ringFd]! - 1;
  if (ring >= 0) c.close(ring);
  // The ring lives as long as it is mapped. With it ends what is under way, and that alone would keep sockets open.
  for (let i = 0; i < numbers[at.mappings]!; i++) c.munmap(numbers[at.first + i * 2]!, numbers[at.first + i * 2 + 1]!);
  for (const fd of left) c.close(fd);
  numbers.fill(0);
  descriptors.fill(0);
  return left.length;
}

function* written(descriptors: Uint32Array): Generator<number> {
  for (let word = 0; word < descriptors.length; word++)
    for (let bits = descriptors[word]!; bits !== 0; bits &= bits - 1) yield word * 32 + (31 - Math.clz32(bits & -bits));
}

/** Connections that were accepted for the thread, and that it never heard of. */
function* untaken(numbers: Float64Array): Generator<number> {
  if (numbers[at.ringFd] === 0) return;
  const bytes = koffi.view(BigInt(numbers[at.memory]!), numbers[at.bytes]!);
  const words = new Int32Array(bytes.slice(0));
  const tail = words[numbers[at.tail]!]!;
  for (let head = words[numbers[at.head]!]!; head !== tail; head = (head + 1) | 0) {
    const entry = numbers[at.entries]! + (head & numbers[at.mask]!) * 4;
    const result = words[entry + 2]!;
    if ((words[entry]! & kindMask) === kind.accept && result >= 0) yield result;
  }
}

/** Its options are shared with everyone who listens on it. */
function isListening(fd: number): boolean {
  const value = new Uint8Array(4);
  const length = new Uint8Array(new Uint32Array([4]).buffer);
  libc()!.getsockopt(fd, linux.SOL_SOCKET, linux.SO_ACCEPTCONN, value, length);
  return value[0] === 1;
}

/** struct linger { on, 0 seconds }: close sends RST. What was under way is cut off, and must not look complete. */
const lingerNot = new Uint8Array(new Int32Array([1, 0]).buffer);
