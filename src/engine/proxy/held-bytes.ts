/** Bytes that came and can't be used yet: a part of a head, a body that nobody takes, the next request. */
import { drainBytesMax } from '../../core/limits.ts';

const nothing = new Uint8Array(0);

export class HeldBytes {
  bytes: Uint8Array = nothing;
  start = 0;
  end = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Appends [start, end) of `buffer`, which may be these bytes themselves. @returns true when they bring a line end. */
  append(buffer: Uint8Array, start: number, end: number): boolean {
    const size = end - start;
    const { length } = this;
    let hasLineEnd = false;
    for (let at = start; at < end && !hasLineEnd; at++) hasLineEnd = buffer[at] === 10;
    if (this.end + size > this.bytes.length) {
      const old = this.bytes;
      if (length + size > old.length) this.bytes = new Uint8Array(Math.max(1_024, (length + size) * 2));
      this.bytes.set(old.subarray(this.start, this.end));
      this.start = 0;
      this.end = length;
    }
    this.bytes.set(buffer.subarray(start, end), this.end);
    this.end += size;
    return hasLineEnd;
  }

  /** Keeps [start, end) of `buffer`, and nothing else. */
  keep(buffer: Uint8Array, start: number, end: number): void {
    if (buffer === this.bytes) {
      this.start = start;
      this.end = end;
    } else {
      this.start = this.end = 0;
      if (start < end) this.append(buffer, start, end);
    }
    if (this.start === this.end) this.start = this.end = 0;
  }

  clear(): void {
    this.start = this.end = 0;
  }

  /** Gives memory back. A big buffer was for one body or burst; an idle connection keeps none. */
  trim(idle: boolean): void {
    if (this.start === this.end && (idle || this.bytes.length > drainBytesMax)) this.bytes = nothing;
  }
}
