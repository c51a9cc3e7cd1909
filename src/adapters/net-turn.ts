/** What the streams of one thread over node:net share. */
import type { NetStream } from './net-stream.ts';

/** Bytes of one read at most, and of one block of gathered writes: what node:net itself asks the kernel for. */
export const blockBytes = 65_536;
/** Blocks kept for use again; more than this are left to the garbage collector. */
const idleBlocksMax = 64;

/** What the streams of one thread share: the read buffer, the pool of write blocks, and who has something to send. */
export class Turn {
  readonly readBuffer = new Uint8Array(new ArrayBuffer(blockBytes));
  #depth = 0;
  #dirty: NetStream[] = [];
  #scheduled = false;
  readonly #blocks: Uint8Array[] = [];

  /** Around every call of a handler: writes made in between are gathered until the outermost one returns. */
  enter(): void {
    this.#depth++;
  }

  leave(): void {
    if (--this.#depth === 0 && this.#dirty.length > 0) this.#flushAll();
  }

  /** `stream` has gathered its first bytes. Outside a handler call they leave at the end of the turn at the latest. */
  gathered(stream: NetStream): void {
    this.#dirty.push(stream);
    if (this.#depth > 0 || this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(Turn.#flushLater, this);
  }

  static #flushLater(turn: Turn): void {
    turn.#scheduled = false;
    turn.#flushAll();
  }

  #flushAll(): void {
    const dirty = this.#dirty;
    // A flush calls no handler, so nothing is added while this runs.
    for (let i = 0; i < dirty.length; i++) dirty[i]!.flush();
    dirty.length = 0;
  }

  takeBlock(): Uint8Array {
    return this.#blocks.pop() ?? new Uint8Array(new ArrayBuffer(blockBytes));
  }

  returnBlock(block: Uint8Array): void {
    if (this.#blocks.length < idleBlocksMax) this.#blocks.push(block);
  }
}

/** A Socket that knows its stream, so that listeners are functions shared by all and no connection costs a closure for each. */
