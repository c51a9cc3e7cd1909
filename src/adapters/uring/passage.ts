/**
 * When bytes of one stream go to another without being shown, and how many may.
 *
 * Splice costs four short system calls and a poll for each turn, whatever it moves, and copying a time for each byte: measured, copies are
 * cheaper for messages and splice for bulk. A stream that filled receive buffers one after the other has bulk; one that brings less than
 * a buffer several times has not.
 */
import { errorNumber } from './abi.ts';
import { type Pipe, type Pipes, type Relaying, refusals } from './pipes.ts';
import { receiveBufferBytes } from './receive-buffers.ts';

/** Full buffers in a row before a stream counts as bulk. */
const fullBuffersMin = 4;
/** Turns in a row that brought less than a receive buffer, before it no longer does. */
const smallTurnsMax = 4;

/** A stream, as its passages see it. */
export interface PassageEnd extends Relaying {
  /** The passage that ends here. */
  incoming: Passage | undefined;
  /** open: can be sent to · waits: has something to send that came before · over. */
  readonly reception: 'open' | 'waits' | 'over';
  takePipe(pipe: Pipe): void;
  gatherLater(): void;
}

export class Passage {
  readonly #from: PassageEnd;
  to: PassageEnd | undefined;
  /** Bytes that may yet pass, shown ones included. */
  left = 0;
  /** The short way is taken, as soon as what came before has left. */
  isOpen = false;
  #inRow = 0;

  constructor(from: PassageEnd) {
    this.#from = from;
  }

  begin(to: PassageEnd, bytes: number): void {
    this.end();
    to.incoming = this;
    this.to = to;
    this.left = bytes;
    this.#inRow = 0;
    this.isOpen = Number.isFinite(bytes) && bytes > 0;
  }

  end(): void {
    if (this.to?.incoming === this) this.to.incoming = undefined;
    this.to = undefined;
    this.left = 0;
    this.isOpen = false;
  }

  /** Bytes came by the long way. */
  shown(bytes: number): void {
    this.#count(bytes);
    if (this.isOpen || this.to === undefined) return;
    this.#inRow = bytes === receiveBufferBytes ? this.#inRow + 1 : 0;
    if (this.#inRow < fullBuffersMin) return;
    this.isOpen = true;
    this.#inRow = 0;
  }

  /** The receiver has sent what was before, or is gone. */
  free(isOver: boolean): void {
    if (this.isOpen) this.#from.gatherLater();
    if (isOver) this.end();
  }

  /** Takes what is there at `fd`, if there is a pipe for it. @returns as Pipe.fill. */
  turn(fd: number, pipes: Pipes): number {
    const to = this.to!;
    const pipe = to.reception === 'open' ? pipes.take() : undefined;
    if (pipe === undefined) {
      this.close();
      return -errorNumber.EAGAIN;
    }
    const came = pipe.fill(fd, this.left);
    if (came <= 0) {
      pipes.give(pipe);
      if (refusals.has(-came)) {
        this.close();
        return -errorNumber.EAGAIN;
      }
    } else {
      this.#passed(came);
      pipe.of = this.#from;
      to.takePipe(pipe);
      this.#from.passedOn(came);
    }
    return came;
  }

  /** One turn brought them. */
  #passed(bytes: number): void {
    this.#count(bytes);
    if (this.left < Infinity) return;
    this.#inRow = bytes < receiveBufferBytes ? this.#inRow + 1 : 0;
    if (this.#inRow === smallTurnsMax) this.close();
  }

  /** The long way again, until it shows that there is bulk. */
  close(): void {
    this.isOpen = false;
    this.#inRow = 0;
  }

  #count(bytes: number): void {
    this.left -= bytes;
    if (this.left <= 0) this.end();
  }
}
