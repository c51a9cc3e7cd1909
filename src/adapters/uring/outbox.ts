/**
 * What one stream has to send: pieces in order, each either a part of a receive buffer (sent from where it was received)
 * or a part of a slot (copied bytes).
 *
 * A receive buffer is kept only for a send that the kernel does at once. When it doesn't (the peer reads slowly), the rest is
 * copied into slots, so that slow peers cost bounded memory of their own and never the buffers that everybody receives into.
 */

import { type SendSlots, type Slot, slotBytes } from './memory.ts';
import { type ReceiveBuffers, receiveBufferBytes } from './receive-buffers.ts';
import type { Ring } from './ring.ts';
import { iovecsMax } from './ring.ts';

/** A piece of at most this many bytes is copied behind another one rather than sent as a part of its own. */
const copyBytesMax = 1024;
/** Idle pieces kept for use again. */
const idlePiecesMax = 1024;

class Piece {
  /** Address of the first unsent byte. */
  address = 0;
  length = 0;
  /** Receive buffer, or -1 for a slot. */
  buffer = -1;
  slot: Slot | undefined = undefined;
  /** Bytes of the slot that are taken, from its start; more may be appended. */
  slotEnd = 0;
  next: Piece | undefined = undefined;
}

const idlePieces: Piece[] = [];

export class Outbox {
  #first: Piece | undefined = undefined;
  #last: Piece | undefined = undefined;
  #pieces = 0;
  #bytes = 0;
  readonly #buffers: ReceiveBuffers;
  readonly #slots: SendSlots;

  constructor(buffers: ReceiveBuffers, slots: SendSlots) {
    this.#buffers = buffers;
    this.#slots = slots;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @param mayKeep whether a part of a receive buffer may be kept instead of copied. */
  add(bytes: Uint8Array, start: number, end: number, mayKeep: boolean): void {
    if (start >= end) return;
    this.#bytes += end - start;
    if (mayKeep && bytes === this.#buffers.bytes && (this.#first === undefined || end - start > copyBytesMax))
      this.#keep(start, end);
    else this.#copy(bytes, start, end);
  }

  #keep(start: number, end: number): void {
    const buffer = Math.floor(start / receiveBufferBytes);
    const address = this.#buffers.address + start;
    const last = this.#last;
    if (last !== undefined && last.buffer === buffer && last.address + last.length === address) {
      last.length += end - start;
      return;
    }
    this.#buffers.users[buffer]!++;
    const piece = this.#append();
    piece.buffer = buffer;
    piece.address = address;
    piece.length = end - start;
  }

  #copy(bytes: Uint8Array, start: number, end: number): void {
    while (start < end) {
      let piece = this.#last;
      if (piece?.slot === undefined || piece.slotEnd === slotBytes) piece = this.#appendSlot();
      const slot = piece.slot!;
      const part = Math.min(end - start, slotBytes - piece.slotEnd);
      copyBytes(slot.slab.bytes, slot.start + piece.slotEnd, bytes, start, start + part);
      piece.slotEnd += part;
      piece.length += part;
      start += part;
    }
  }

  #append(): Piece {
    const piece = idlePieces.pop() ?? new Piece();
    if (this.#last === undefined) this.#first = piece;
    else this.#last.next = piece;
    this.#last = piece;
    this.#pieces++;
    return piece;
  }

  #appendSlot(): Piece {
    const piece = this.#append();
    piece.slot = this.#slots.take();
    piece.address = piece.slot.slab.address + piece.slot.start;
    return piece;
  }

  /** Address and length of what is to be sent, when that is one piece. */
  get single(): { readonly address: number; readonly length: number } | undefined {
    return this.#pieces === 1 ? this.#first : undefined;
  }

  /** Writes the scatter list of entry `index` of the ring. @returns the bytes it carries: not all, when there are many pieces. */
  describe(ring: Ring, index: number): number {
    let bytes = 0;
    let part = 0;
    for (let piece = this.#first; piece !== undefined && part < iovecsMax; piece = piece.next) {
      ring.iovec(index, part++, piece.address, piece.length);
      bytes += piece.length;
    }
    ring.message(index, part);
    return bytes;
  }

  /** The kernel took `bytes`. */
  sent(bytes: number): void {
    this.#bytes -= bytes;
    while (bytes > 0) {
      const piece = this.#first!;
      if (bytes < piece.length) {
        piece.address += bytes;
        piece.length -= bytes;
        return;
      }
      bytes -= piece.length;
      this.#drop();
    }
  }

  /** Copies what still lies in receive buffers, so that those can be used again. */
  detach(): void {
    for (let piece = this.#first; piece !== undefined; piece = piece.next) {
      if (piece.buffer < 0) continue;
      const slot = this.#slots.take();
      const start = piece.address - this.#buffers.address;
      slot.slab.bytes.set(this.#buffers.bytes.subarray(start, start + piece.length), slot.start);
      this.#buffers.release(piece.buffer);
      piece.buffer = -1;
      piece.slot = slot;
      piece.slotEnd = piece.length;
      piece.address = slot.slab.address + slot.start;
    }
  }

  clear(): void {
    while (this.#first !== undefined) this.#drop();
    this.#bytes = 0;
  }

  #drop(): void {
    const piece = this.#first!;
    this.#first = piece.next;
    if (this.#first === undefined) this.#last = undefined;
    this.#pieces--;
    if (piece.buffer >= 0) this.#buffers.release(piece.buffer);
    else this.#slots.give(piece.slot!);
    piece.buffer = -1;
    piece.slot = undefined;
    piece.slotEnd = 0;
    piece.length = 0;
    piece.next = undefined;
    if (idlePieces.length < idlePiecesMax) idlePieces.push(piece);
  }
}

/** A view and a native copy cost as much as copying about 100 bytes one by one. */
function copyBytes(to: Uint8Array, at: number, from: Uint8Array, start: number, end: number): void {
  if (end - start <= 96) {
    while (start < end) to[at++] = from[start++]!;
    return;
  }
  to.set(from.subarray(start, end), at);
}
