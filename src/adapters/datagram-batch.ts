/**
 * Lines of a log and the structures by which sendmmsg(2) finds them (struct mmsghdr, struct iovec, struct cmsghdr).
 *
 * In a large batch lines of equal length become one message that the kernel cuts into datagrams again at the receiving end, or in the
 * network card (udp(7), UDP_SEGMENT): twelve such lines cost about as much as two. So lines of one batch leave in groups, not in the
 * order in which they came; in a small batch, where order is what a reader sees and cost is not, they leave as they came.
 */
import { type LogPage, lineBytesMax } from '../engine/ports/logs.ts';
import { linux, stableBytes } from './libc.ts';

export const linesMax = 64;
/** A batch leaves when this much is gathered; below, waiting for company saves calls. */
const batchBytes = 16_384;
/** From here on a batch is a part of more than 3,000 lines a second. */
const groupedLinesMin = 16;
/** A segment must fit the smallest MTU of IPv6 (RFC 8200 §5: 1280, less both headers): longer lines go alone and may be fragmented. */
const segmentBytesMax = 1232;

// 64-bit. struct msghdr is 56 bytes, msg_len 4, padding 4.
const mmsghdrWords = 64 / 4;
const iovecWords = 16 / 4;
/** struct cmsghdr of 16 bytes, a 16-bit number, padding. */
const controlWords = 24 / 4;
const controlLength = 18;
const at = { vectors: 4, vectorCount: 6, control: 8, controlLength: 10 } as const;

export class DatagramBatch implements LogPage {
  readonly #lines = stableBytes(batchBytes + lineBytesMax);
  readonly #linesAddress = Number(this.#lines.address);
  readonly #messages = words(linesMax * mmsghdrWords);
  readonly #vectors = words(linesMax * iovecWords);
  readonly #controls = words(linesMax * controlWords);
  readonly #starts = new Uint32Array(linesMax);
  readonly #lengths = new Uint32Array(linesMax);
  /** Lines in each message. */
  readonly #inMessage = new Uint32Array(linesMax);
  /** Lines that have a place in `#vectors`. */
  readonly #placed = new Uint8Array(linesMax);
  /** Bytes gathered: where the next line begins. */
  end = 0;
  /** Lines gathered. */
  count = 0;
  /** Messages laid out, and the first that is still to be sent. */
  messages = 0;
  next = 0;

  constructor() {
    const controls = this.#controls.array;
    for (let index = 0; index < linesMax; index++) {
      const control = index * controlWords;
      controls[control] = controlLength;
      controls[control + 2] = linux.IPPROTO_UDP;
      controls[control + 3] = linux.UDP_SEGMENT;
      putAddress(this.#messages.array, index * mmsghdrWords + at.control, this.#controls.address + control * 4);
    }
  }

  get bytes(): Uint8Array {
    return this.#lines.bytes;
  }

  /** The line that was written from `end` on is finished. @returns true when the batch is full. */
  commit(end: number): boolean {
    const count = this.count++;
    this.#starts[count] = this.end;
    this.#lengths[count] = end - this.end;
    this.end = end;
    return count + 1 === linesMax || end >= batchBytes;
  }

  /** Makes messages of all lines. @param group lines of equal length may share one. */
  layOut(group: boolean): void {
    this.next = this.messages = 0;
    this.#placed.fill(0);
    let vector = 0;
    for (let line = 0; line < this.count; line++) {
      if (this.#placed[line] === 1) continue;
      const first = vector;
      const length = this.#lengths[line]!;
      this.#place(vector++, line);
      if (group && this.count >= groupedLinesMin && length <= segmentBytesMax)
        for (let other = line + 1; other < this.count; other++)
          if (this.#lengths[other] === length && this.#placed[other] === 0) this.#place(vector++, other);
      this.#message(first, vector - first, length);
    }
  }

  /** What is left to be sent becomes one message a line again. */
  ungroup(): void {
    let vector = 0;
    for (let message = 0; message < this.next; message++) vector += this.#inMessage[message]!;
    this.next = this.messages = 0;
    for (; vector < this.count; vector++) this.#message(vector, 1, 0);
    this.count = this.messages;
  }

  /** Where the messages that are left begin. */
  get address(): bigint {
    return BigInt(this.#messages.address + this.next * mmsghdrWords * 4);
  }

  /** The next message has more than one line. */
  get isGroup(): boolean {
    return this.#inMessage[this.next]! > 1;
  }

  get linesLeft(): number {
    let lines = 0;
    for (let message = this.next; message < this.messages; message++) lines += this.#inMessage[message]!;
    return lines;
  }

  clear(): void {
    this.count = this.messages = this.next = this.end = 0;
  }

  #place(vector: number, line: number): void {
    this.#placed[line] = 1;
    putAddress(this.#vectors.array, vector * iovecWords, this.#linesAddress + this.#starts[line]!);
    this.#vectors.array[vector * iovecWords + 2] = this.#lengths[line]!;
  }

  #message(firstVector: number, count: number, length: number): void {
    const index = this.messages++;
    const message = index * mmsghdrWords;
    const { array } = this.#messages;
    this.#inMessage[index] = count;
    putAddress(array, message + at.vectors, this.#vectors.address + firstVector * iovecWords * 4);
    array[message + at.vectorCount] = count;
    array[message + at.controlLength] = count > 1 ? controlWords * 4 : 0;
    this.#controls.array[index * controlWords + 4] = length;
  }
}

function words(count: number): { readonly array: Uint32Array; readonly address: number } {
  const { bytes, address } = stableBytes(count * 4);
  // User space addresses are below 2^53.
  return { array: new Uint32Array(bytes.buffer, bytes.byteOffset, count), address: Number(address) };
}

function putAddress(array: Uint32Array, index: number, address: number): void {
  array[index] = address >>> 0;
  array[index + 1] = (address / 0x1_0000_0000) >>> 0;
}
