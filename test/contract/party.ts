/** A stream handler for tests: records what happens, and fails when an adapter breaks the port's promises. */
import assert from 'node:assert/strict';
import type { Stream, StreamError, StreamHandler } from '../../src/engine/ports/streams.ts';

/** What a test may add to a party's behaviour; everything runs inside the handler's call. */
export interface Behaviour {
  opened?(party: Party): void;
  received?(party: Party, buffer: Uint8Array, start: number, end: number): void;
  relayed?(party: Party, bytes: number): void;
  drained?(party: Party): void;
  ended?(party: Party): void;
  closed?(party: Party): void;
}

export class Party implements StreamHandler {
  readonly name: string;
  stream!: Stream;
  openedCount = 0;
  drainedCount = 0;
  endedCount = 0;
  closedCount = 0;
  error: StreamError | undefined;
  receivedBytes = 0;
  relayedBytes = 0;
  /** Kept only when asked for with `keep`. */
  readonly chunks: Buffer[] = [];
  readonly #behaviour: Behaviour;
  readonly #keep: boolean;
  /** True while a call into the adapter is under way: no handler may be called from inside it. */
  inCall = false;
  paused = false;
  waitsForDrained = false;

  constructor(name: string, behaviour: Behaviour = {}, keep = true) {
    this.name = name;
    this.#behaviour = behaviour;
    this.#keep = keep;
  }

  // ------------------------------------------------------------ what the test does

  write(bytes: Uint8Array, start = 0, end = bytes.length): boolean {
    const go = this.#call(() => this.stream.write(bytes, start, end));
    if (!go) this.waitsForDrained = true;
    return go;
  }

  text(text: string): boolean {
    return this.write(Buffer.from(text));
  }

  flush(): void {
    this.#call(() => this.stream.flush());
  }

  pause(): void {
    this.#call(() => this.stream.pause());
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    this.#call(() => this.stream.resume());
  }

  relay(to: Party, bytes = Infinity): void {
    this.#call(() => this.stream.relay?.(to.stream, bytes));
  }

  shutdown(): void {
    this.#call(() => this.stream.shutdown());
  }

  close(): void {
    this.#call(() => this.stream.close());
  }

  reset(): void {
    this.#call(() => this.stream.reset());
  }

  #call<Result>(action: () => Result): Result {
    const before = this.inCall;
    this.inCall = true;
    const result = action();
    this.inCall = before;
    return result;
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }

  // ------------------------------------------------------------ what the adapter tells

  opened(stream: Stream): void {
    this.#check('opened');
    assert.equal(this.openedCount, 0, `${this.name}: opened twice`);
    assert.equal(stream, this.stream, `${this.name}: opened with another stream than connect returned`);
    this.openedCount++;
    this.#behaviour.opened?.(this);
  }

  received(buffer: Uint8Array, start: number, end: number): void {
    this.#check('received');
    assert.ok(start < end && end <= buffer.length, `${this.name}: received [${start}, ${end}) of ${buffer.length}`);
    assert.ok(!this.paused, `${this.name}: received while paused`);
    assert.equal(this.endedCount, 0, `${this.name}: received after ended`);
    this.receivedBytes += end - start;
    if (this.#keep) this.chunks.push(Buffer.from(buffer.subarray(start, end)));
    this.#behaviour.received?.(this, buffer, start, end);
  }

  relayed(bytes: number): void {
    this.#check('relayed');
    assert.ok(bytes === 0 || this.endedCount === 0, `${this.name}: relayed after ended`);
    this.relayedBytes += bytes;
    this.#behaviour.relayed?.(this, bytes);
  }

  drained(): void {
    this.#check('drained');
    assert.ok(this.waitsForDrained, `${this.name}: drained without a write that returned false`);
    this.waitsForDrained = false;
    this.drainedCount++;
    this.#behaviour.drained?.(this);
  }

  ended(): void {
    this.#check('ended');
    assert.equal(this.endedCount, 0, `${this.name}: ended twice`);
    this.endedCount++;
    this.#behaviour.ended?.(this);
  }

  closed(error: StreamError | undefined): void {
    this.#check('closed');
    this.closedCount++;
    this.error = error;
    this.#behaviour.closed?.(this);
  }

  #check(event: string): void {
    assert.ok(!this.inCall, `${this.name}: ${event} from inside a call`);
    assert.equal(this.closedCount, 0, `${this.name}: ${event} after closed`);
  }
}

/** Bytes that no misplaced piece can imitate: a counter mixed by multiplication. */
export function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.alloc(length);
  let state = (seed * 2_654_435_761) >>> 0;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** A sequence of chance that a seed reproduces (Mulberry32). */
export function chance(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
