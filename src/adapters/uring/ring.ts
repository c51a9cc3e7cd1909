/**
 * One io_uring: set-up, its two queues, and waiting.
 *
 * The set-up flags make the ring belong to one thread (SINGLE_ISSUER) and completions appear only inside this thread's own
 * `io_uring_enter` (DEFER_TASKRUN). So between two calls nothing in the shared memory moves, and queue heads and tails are plain
 * loads and stores: JavaScript needs no memory barriers.
 *
 * An entry's 64-bit `user_data` is two words: (target << 4 | kind), and the target's generation.
 */
import { errno, type Libc, libc } from '../libc.ts';
import {
  cancelFlag,
  cqOffsets,
  enter,
  entryFlag,
  errorNumber,
  feature,
  kind,
  mapAt,
  op,
  params as paramsAt,
  register,
  setup,
  sqOffsets,
  submissionFlag,
  systemCall,
} from './abi.ts';
import { mapBytes, noteRing, noteRingClosing } from './ledger.ts';

/** Entries that can be gathered between two system calls; more only means one more call. */
const sqEntries = 1024;
const failuresMax = 100;
/**
 * Where events come fast, the ring waits so long for company: one by one they cost a system call each, and the caches of all they pass.
 * Where a wait would bring few it doesn't wait: a request comes by four times or more, and would be late each time.
 */
const gatherMicroseconds = 100;
const gatherEventsMin = 6;
const gatherEventsMax = 32;
/** Waits are no longer than this, an hour: a turn without events costs nothing. */
const waitMsMax = 3_600_000;
/** Completions that wait at most before the kernel keeps them in a list of its own. */
const cqEntries = 8192;
const entryWords = 16;

/** Longest scatter list of one send: 16 pieces of 16 KiB. */
export const iovecsMax = 16;
const msghdrBytes = 64;
const messageBytes = msghdrBytes + iovecsMax * 16;

/** Called for each completion: the two words of `user_data`, the result (negative: an error number), and the flags. */
export type Completed = (target: number, generation: number, result: number, flags: number) => void;

export class Ring {
  readonly fd: number;
  readonly #c: Libc;
  readonly #words: Uint32Array;
  readonly #ints: Int32Array;
  /** Submission entries, and one message header with scatter list for each. */
  readonly entries: Uint32Array;
  readonly #messages: Uint32Array;
  readonly #messagesAddress: number;
  readonly #sqHead: number;
  readonly #sqTail: number;
  readonly #sqMask: number;
  readonly #sqFlags: number;
  readonly #cqHead: number;
  readonly #cqTail: number;
  readonly #cqMask: number;
  readonly #cqes: number;
  #tail = 0;
  #submitted = 0;
  /** Entries that complete while they are handed over, and are no event to wait for. See `certain`. */
  #certain = 0;
  /** The kernel can wait for several. */
  readonly #gathers: boolean;
  readonly #enterFd: number;
  readonly #enterFlags: number;
  /** struct io_uring_getevents_arg, and the struct __kernel_timespec that it points to. */
  readonly #waitAddress: number;
  readonly #wait: Uint32Array;
  /** Calls in a row that failed with an error that none of ours should give. */
  #failures = 0;

  /** Throws an Error with the reason when the kernel can't or may not. */
  constructor() {
    this.#c = libc()!;
    const memory = mapBytes(4096, -1, 0)!;
    const parameters = new Uint32Array(memory.bytes.buffer, 0, 1024);
    this.fd = this.#setup(memory.address, parameters);
    const at = (table: number, field: number) => parameters[(table + field) >> 2]!;
    const { sq, cq } = paramsAt;
    const sqCount = parameters[paramsAt.sqEntries >> 2]!;
    const cqCount = parameters[paramsAt.cqEntries >> 2]!;
    const ringBytes = Math.max(at(sq, sqOffsets.array) + sqCount * 4, at(cq, cqOffsets.cqes) + cqCount * 16);
    const rings = mapBytes(ringBytes, this.fd, mapAt.rings);
    const entries = mapBytes(sqCount * entryWords * 4, this.fd, mapAt.entries);
    if (rings === undefined || entries === undefined) throw new Error('its memory cannot be mapped');
    noteRing(this.fd, {
      memory: rings.address,
      bytes: ringBytes,
      head: at(cq, cqOffsets.head) >> 2,
      tail: at(cq, cqOffsets.tail) >> 2,
      entries: at(cq, cqOffsets.cqes) >> 2,
      mask: cqCount - 1,
    });
    this.#words = new Uint32Array(rings.bytes.buffer, 0, ringBytes >> 2);
    this.#ints = new Int32Array(rings.bytes.buffer, 0, ringBytes >> 2);
    this.entries = new Uint32Array(entries.bytes.buffer);
    this.#sqHead = at(sq, sqOffsets.head) >> 2;
    this.#sqTail = at(sq, sqOffsets.tail) >> 2;
    this.#sqFlags = at(sq, sqOffsets.flags) >> 2;
    this.#sqMask = this.#words[at(sq, sqOffsets.ringMask) >> 2]!;
    this.#cqHead = at(cq, cqOffsets.head) >> 2;
    this.#cqTail = at(cq, cqOffsets.tail) >> 2;
    this.#cqMask = this.#words[at(cq, cqOffsets.ringMask) >> 2]!;
    this.#cqes = at(cq, cqOffsets.cqes) >> 2;
    this.#gathers = (parameters[paramsAt.features >> 2]! & feature.MIN_TIMEOUT) !== 0;
    const flags = parameters[paramsAt.flags >> 2]!;
    if ((flags & setup.NO_SQARRAY) === 0) {
      const array = at(sq, sqOffsets.array) >> 2;
      for (let i = 0; i < sqCount; i++) this.#words[array + i] = i;
    }
    const messages = mapBytes(sqCount * messageBytes, -1, 0)!;
    this.#messages = new Uint32Array(messages.bytes.buffer);
    this.#messagesAddress = messages.address;
    parameters.fill(0);
    this.#wait = parameters;
    this.#waitAddress = memory.address;
    // getevents_arg.ts points to the timespec at byte 64.
    putAddress(this.#wait, 4, memory.address + 64);
    const registered = this.#registerFd(memory.address + 128, parameters);
    this.#enterFd = registered ?? this.fd;
    this.#enterFlags = registered === undefined ? 0 : enter.REGISTERED_RING;
  }

  #setup(address: number, parameters: Uint32Array): number {
    const always =
      setup.CQSIZE | setup.CLAMP | setup.SUBMIT_ALL | setup.COOP_TASKRUN | setup.SINGLE_ISSUER | setup.DEFER_TASKRUN;
    for (const flags of [always | setup.NO_SQARRAY, always]) {
      parameters.fill(0);
      parameters[paramsAt.flags >> 2] = flags;
      parameters[paramsAt.cqEntries >> 2] = cqEntries;
      const fd = this.#c.syscall(systemCall.setup, sqEntries, address, 0, 0, 0, 0);
      if (fd >= 0) return fd;
    }
    throw new SetupError(errno());
  }

  /** A registered ring descriptor saves the kernel a look-up for each call. */
  #registerFd(address: number, memory: Uint32Array): number | undefined {
    const word = 32; // byte 128
    memory[word] = 0xffff_ffff; // offset: any
    memory[word + 1] = 0;
    memory[word + 2] = this.fd;
    memory[word + 3] = 0;
    const done = this.#c.syscall(systemCall.register, this.fd, register.RING_FDS, address, 1, 0, 0);
    return done === 1 ? memory[word]! : undefined;
  }

  /** Asks the kernel to register something: `address` is where its argument lies. Returns -1 for an error, see errno. */
  register(what: number, address: number, count: number): number {
    return this.#c.syscall(systemCall.register, this.fd, what, address, count, 0, 0);
  }

  /**
   * Index of a new, zeroed entry with its common fields filled in; the caller adds the rest before the next call of this ring.
   */
  push(opcode: number, fd: number, target: number, generation: number): number {
    if ((this.#tail - this.#words[this.#sqHead]!) >>> 0 > this.#sqMask) this.submit();
    const index = this.#tail & this.#sqMask;
    const { entries } = this;
    const at = index * entryWords;
    entries[at] = opcode;
    entries[at + 1] = fd;
    for (let i = at + 2; i < at + 8; i++) entries[i] = 0;
    entries[at + 8] = target;
    entries[at + 9] = generation;
    entries[at + 10] = 0;
    entries[at + 11] = 0;
    entries[at + 12] = 0;
    entries[at + 13] = 0;
    this.#tail = (this.#tail + 1) >>> 0;
    return index;
  }

  /** Pushes an entry that ends the one with this `user_data`; the last completion of that one still comes. */
  cancel(target: number, generation: number): void {
    const at = this.#pushCancel(-1);
    this.entries[at + 4] = target;
    this.entries[at + 5] = generation;
  }

  /** The same for all that is under way on a descriptor. */
  cancelAll(fd: number): void {
    const at = this.#pushCancel(fd);
    this.entries[at + 7] = cancelFlag.ALL | cancelFlag.FD;
  }

  /** What was cancelled tells so itself: a completion for the cancelling would only end waits (io_uring_enter(2), IOSQE_CQE_SKIP_SUCCESS). */
  #pushCancel(fd: number): number {
    const at = this.push(op.ASYNC_CANCEL, fd, kind.ignored, 0) * entryWords;
    this.entries[at] = op.ASYNC_CANCEL | (entryFlag.CQE_SKIP_SUCCESS << 8);
    return at;
  }

  /** Address of the message header that belongs to entry `index`. */
  messageAddress(index: number): number {
    return this.#messagesAddress + index * messageBytes;
  }

  /** Fills in that header; its scatter list has `count` parts, filled in by `iovec`. */
  message(index: number, count: number): void {
    const at = (index * messageBytes) >> 2;
    const messages = this.#messages;
    for (let i = at; i < at + (msghdrBytes >> 2); i++) messages[i] = 0;
    putAddress(messages, at + 4, this.messageAddress(index) + msghdrBytes);
    messages[at + 6] = count;
  }

  /** Index of an entry that is not pushed: its message header is free for a direct system call. */
  spare(): number {
    if ((this.#tail - this.#words[this.#sqHead]!) >>> 0 > this.#sqMask) this.submit();
    return this.#tail & this.#sqMask;
  }

  iovec(index: number, part: number, address: number, length: number): void {
    const at = (index * messageBytes + msghdrBytes + part * 16) >> 2;
    putAddress(this.#messages, at, address);
    this.#messages[at + 2] = length;
    this.#messages[at + 3] = 0;
  }

  /** The entry just pushed completes at once, whatever happens: a wait is for one completion more. */
  certain(): void {
    this.#certain++;
  }

  /** One of those has been taken. */
  certainTaken(): void {
    this.#certain--;
  }

  /** Hands over what was pushed, without waiting. */
  submit(): void {
    this.#enter(0, 0, 0, 0);
  }

  /**
   * Hands over what was pushed and waits until something completes; where events come fast, a moment for more of them.
   * @param waitMs how long at most, with fraction; Infinity for ever, 0 not at all.
   * @param eventsPerMs how fast they came lately.
   */
  submitAndWait(waitMs: number, eventsPerMs = 0): void {
    const gathers = this.#gathers && eventsPerMs * gatherMicroseconds >= gatherEventsMin * 1000;
    if (waitMs <= 0) {
      this.#enter(0, enter.GETEVENTS, 0, 0);
      return;
    }
    if (waitMs === Infinity && !gathers) {
      this.#enter(1 + this.#certain, enter.GETEVENTS, 0, 0);
      return;
    }
    // struct io_uring_getevents_arg: min_wait_usec at byte 12; then it is as if the wait were for one event.
    this.#wait[3] = gathers ? gatherMicroseconds : 0;
    const ms = Math.min(waitMs, waitMsMax);
    const seconds = Math.floor(ms / 1000);
    this.#wait[16] = seconds;
    this.#wait[18] = Math.ceil((ms - seconds * 1000) * 1e6);
    const events = gathers ? gatherEventsMax : 1;
    this.#enter(events + this.#certain, enter.GETEVENTS | enter.EXT_ARG, this.#waitAddress, 24);
  }

  #enter(least: number, flags: number, argument: number, argumentBytes: number): void {
    this.#words[this.#sqTail] = this.#tail;
    const count = (this.#tail - this.#submitted) >>> 0;
    const done = this.#c.syscall(
      systemCall.enter,
      this.#enterFd,
      count,
      least,
      flags | this.#enterFlags,
      argument,
      argumentBytes,
    );
    if (done >= 0) {
      this.#submitted = (this.#submitted + done) >>> 0;
      this.#failures = 0;
      return;
    }
    const error = errno();
    // What it took is told by the queue's head; a time-out, a signal and a full completion queue are no errors.
    this.#submitted = this.#words[this.#sqHead]!;
    const { EINTR, ETIME, EBUSY, EAGAIN } = errorNumber;
    if (error === EINTR || error === ETIME || error === EBUSY || error === EAGAIN) return;
    // V8 may work between the call and our look at errno, and leave a number of its own there. A ring that is broken fails again.
    if (++this.#failures === failuresMax) throw new Error(`io_uring_enter failed with error ${error}`);
  }

  /** Calls `completed` for everything that has completed by now. */
  take(completed: Completed): number {
    const words = this.#words;
    const tail = words[this.#cqTail]!;
    let head = words[this.#cqHead]!;
    const count = (tail - head) >>> 0;
    while (head !== tail) {
      const at = this.#cqes + (head & this.#cqMask) * 4;
      const target = words[at]!;
      const generation = words[at + 1]!;
      const result = this.#ints[at + 2]!;
      const flags = words[at + 3]!;
      head = (head + 1) >>> 0;
      // Given back before the call: a handler that fills the queue makes the kernel look for room.
      words[this.#cqHead] = head;
      completed(target, generation, result, flags);
    }
    return count;
  }

  /** Nothing has completed that was not taken. Between two calls of this ring that stays so. */
  get isDrained(): boolean {
    const words = this.#words;
    return words[this.#cqHead] === words[this.#cqTail] && (words[this.#sqFlags]! & submissionFlag.CQ_OVERFLOW) === 0;
  }

  /**
   * Cancels everything that is under way and closes the ring. The memory stays mapped as long as JavaScript may look at it, and with it
   * the kernel's side of the ring: what is not cancelled here would go on, and an accept would take wake-ups from other workers.
   */
  close(): void {
    // struct io_uring_sync_cancel_reg: flags at byte 12, then a timeout of { -1, -1 } = none.
    const request = this.#wait;
    request.fill(0, 0, 16);
    request[3] = cancelFlag.ALL | cancelFlag.ANY;
    request.fill(0xffff_ffff, 4, 8);
    this.register(register.SYNC_CANCEL, this.#waitAddress, 1);
    // With DEFER_TASKRUN a cancelled request leaves its wait queue only in the next call of its own thread.
    this.submitAndWait(0);
    noteRingClosing();
    this.#c.close(this.fd);
  }
}

/** io_uring_setup failed; `number` is the error number. */
export class SetupError extends Error {
  readonly number: number;

  constructor(number: number) {
    super(`io_uring_setup failed with error ${number}`);
    this.number = number;
  }
}

/** Writes a 64-bit address as two words. Addresses of a process are below 2^53, exact as a number. */
export function putAddress(words: Uint32Array, at: number, address: number): void {
  words[at] = address >>> 0;
  words[at + 1] = (address / 4_294_967_296) >>> 0;
}
