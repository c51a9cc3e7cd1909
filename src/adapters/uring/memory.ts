/** Slots: memory that bytes are sent from, when they can't be sent from where they were received. */
import { libc } from '../libc.ts';
import { mapBytes } from './ledger.ts';
import { dontNeed } from './receive-buffers.ts';

/** One slot of copied bytes: a whole receive buffer must fit (`Outbox.detach`). */
export const slotBytes = 16_384;

const slotsPerSlab = 64;
/** Free slots that keep their memory, 4 MiB; more are what a burst of slow readers left. */
const warmSlotsMax = 256;

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
