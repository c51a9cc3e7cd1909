/**
 * Log lines to stdout or stderr, many with one write(2), without ever waiting for a reader.
 *
 * The descriptor may be shared with a shell or a terminal, so its flags stay as they are. Instead poll(2) is asked first: a pipe
 * that it calls writable takes PIPE_BUF bytes without blocking (pipe(7)), so writes are at most that long, and whole lines where
 * a line fits: PIPE_BUF bytes are written atomically, lines of several threads don't mix.
 */
import { lineBytesMax } from '../engine/ports/logs.ts';
import { type Libc, stableBytes } from './libc.ts';
import type { LogDestination } from './syslog.ts';

const pipeBufBytes = 4096;
const batchBytes = 8192;

const POLLOUT = 4;

export class DescriptorDestination implements LogDestination {
  droppedLines = 0;
  readonly #c: Libc;
  readonly #fd: number;
  readonly #lines = stableBytes(batchBytes + lineBytesMax);
  readonly #poll = stableBytes(8); // struct pollfd
  readonly #pollView = new DataView(this.#poll.bytes.buffer);
  readonly page = { bytes: this.#lines.bytes, end: 0 };

  constructor(c: Libc, fd: number) {
    this.#c = c;
    this.#fd = fd;
    this.#pollView.setInt32(0, fd, true);
    this.#pollView.setUint16(4, POLLOUT, true);
  }

  commit(end: number): boolean {
    this.page.end = end;
    return end >= batchBytes;
  }

  flush(): void {
    const bytes = this.page.end;
    this.page.end = 0;
    let start = 0;
    while (start < bytes) {
      const end = this.#chunkEnd(start, bytes);
      const written = this.#writable() ? this.#c.write(this.#fd, this.#lines.address + BigInt(start), end - start) : -1;
      if (written <= 0) break;
      start += written;
    }
    this.droppedLines += this.#linesIn(start, bytes);
  }

  /** The descriptor isn't ours to close. */
  close(): void {}

  #writable(): boolean {
    this.#pollView.setUint16(6, 0, true);
    return this.#c.poll(this.#poll.address, 1, 0) === 1 && (this.#pollView.getUint16(6, true) & POLLOUT) !== 0;
  }

  /** As many whole lines as one write takes, or a piece of a line that is longer. */
  #chunkEnd(start: number, bytes: number): number {
    if (bytes - start <= pipeBufBytes) return bytes;
    const newline = this.#lines.bytes.lastIndexOf(0x0a, start + pipeBufBytes - 1);
    return newline < start ? start + pipeBufBytes : newline + 1;
  }

  #linesIn(start: number, end: number): number {
    let lines = 0;
    for (let index = start; index < end; index++) if (this.#lines.bytes[index] === 0x0a) lines++;
    return lines;
  }
}
