/**
 * The sending half of one stream on the ring.
 *
 * At most one send is under way, so that order needs no thought. The first try doesn't wait (MSG_DONTWAIT): the kernel completes it
 * while the entries are handed over, whatever the peer does. Only what it couldn't take waits for the peer, from slots of its own.
 */
import { highWaterBytes } from '../../core/limits.ts';
import { libc, linux } from '../libc.ts';
import { errorNumber, op } from './abi.ts';
import type { SendSlots } from './memory.ts';
import { Outbox } from './outbox.ts';
import type { Pipe, Pipes } from './pipes.ts';
import type { ReceiveBuffers } from './receive-buffers.ts';
import { putAddress, type Ring } from './ring.ts';

const sendFlags = linux.MSG_NOSIGNAL;
const sendNowFlags = linux.MSG_NOSIGNAL | linux.MSG_DONTWAIT;

export class Sender extends Outbox {
  sending = false;
  /** The kernel could not take everything at once: what is queued waits for the peer. */
  blocked = false;
  /** What another stream received for this one, and the kernel could not take yet: it goes before everything that is written. */
  pipe: Pipe | undefined = undefined;
  readonly #ring: Ring;
  readonly #pipes: Pipes;
  /** The send under way is one that doesn't wait. */
  #certain = false;
  /** Bytes of the send that is under way. */
  #attempted = 0;

  constructor(ring: Ring, buffers: ReceiveBuffers, slots: SendSlots, pipes: Pipes) {
    super(buffers, slots);
    this.#ring = ring;
    this.#pipes = pipes;
  }

  get isEmpty(): boolean {
    return this.bytes === 0 && this.pipe === undefined;
  }

  /** Everything that waits, in the pipe too. */
  get unsentBytes(): number {
    return this.pipe === undefined ? this.bytes : this.bytes + this.pipe.bytes;
  }

  /** @returns bytes that left the pipe, or an error number below zero. An empty pipe is given back. */
  drainPipe(fd: number): number {
    const pipe = this.pipe!;
    const left = pipe.drain(fd);
    if (pipe.bytes === 0) this.#givePipe(pipe);
    return left === -errorNumber.EAGAIN || left === -errorNumber.EINTR ? 0 : left;
  }

  #givePipe(pipe: Pipe): void {
    this.#pipes.give(pipe);
    this.pipe = undefined;
  }

  override clear(): void {
    super.clear();
    if (this.pipe !== undefined) this.#givePipe(this.pipe);
  }

  /**
   * Pushes an entry for what is queued. `target` and `generation` come back with its completion, for which `completed` is called.
   * @param awaited something is to be done when it is over (a FIN, a word to the writer): then it may end a wait by itself.
   */
  send(fd: number, target: number, generation: number, awaited: boolean): void {
    const ring = this.#ring;
    const { single } = this;
    const index = ring.push(single === undefined ? op.SENDMSG : op.SEND, fd, target, generation);
    const at = index * 16;
    if (single === undefined) {
      this.#attempted = this.describe(ring, index);
      putAddress(ring.entries, at + 4, ring.messageAddress(index));
      ring.entries[at + 6] = 1;
    } else {
      this.#attempted = single.length;
      putAddress(ring.entries, at + 4, single.address);
      ring.entries[at + 6] = single.length;
    }
    ring.entries[at + 7] = this.blocked ? sendFlags : sendNowFlags;
    this.sending = true;
    this.#certain = !this.blocked && !awaited;
    if (this.#certain) ring.certain();
  }

  /** @returns the number of the error that ends sending for good, or 0. */
  completed(result: number): number {
    this.sending = false;
    if (this.#certain) this.#ring.certainTaken();
    if (result < 0 && result !== -errorNumber.EAGAIN && result !== -errorNumber.EINTR) return -result;
    if (result > 0) this.sent(result);
    if (this.bytes === 0) this.blocked = false;
    else if (!this.blocked && result < this.#attempted) {
      this.blocked = true;
      this.detach();
    }
    return 0;
  }

  /** A writer that goes on and on learns from the kernel at once whether the peer keeps up: true = it does, go on. */
  sendDirectly(fd: number): boolean {
    if (this.sending) return false;
    const ring = this.#ring;
    // The entry is never used: only its message header is borrowed.
    const index = ring.spare();
    const message = BigInt(ring.messageAddress(index));
    while (this.bytes > 0) {
      const attempted = this.describe(ring, index);
      const sent = libc()!.sendmsg(fd, message, sendNowFlags);
      if (sent > 0) this.sent(sent);
      if (sent === attempted) continue;
      // EAGAIN, or an error that the ring's own send will find again.
      this.blocked = true;
      this.detach();
      return this.bytes <= highWaterBytes;
    }
    return true;
  }
}
