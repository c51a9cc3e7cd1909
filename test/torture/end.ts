/** One end of a connection that is tortured: sends in pieces and with pauses drawn from a seed, reads likewise, and compares every byte. */
import type { Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { pattern } from '../contract/party.ts';

export type Draw = (below: number) => number;

export const bytesMax = 2_097_152;
const source = pattern(bytesMax + 65_536, 77);

/** Bytes that no other place of the same conversation has. */
export function content(seed: number, length: number): Buffer {
  const start = Math.imul(seed, 7_919) & 0xffff;
  return source.subarray(start, start + length);
}

/** 1 byte to 2 MiB, every order of magnitude as often as the others. */
export function drawLength(draw: Draw): number {
  const most = 2 ** (1 + draw(21));
  return Math.min(bytesMax, 1 + draw(most));
}

export class End {
  readonly socket: Socket;
  draw: Draw;
  #unread: Buffer = Buffer.alloc(0);
  #wanted: (() => void) | undefined;
  ended = false;
  closed = false;

  constructor(socket: Socket, draw: Draw) {
    this.socket = socket;
    this.draw = draw;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => {
      this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
      if (this.#unread.length > 65_536) socket.pause();
      this.#news();
    });
    socket.on('end', () => {
      this.ended = true;
      this.#news();
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      this.closed = true;
      this.#news();
    });
  }

  /** @returns whether all of it was handed over. */
  async send(bytes: Buffer): Promise<boolean> {
    const small = this.draw(8) === 0;
    for (let at = 0; at < bytes.length && !this.closed; ) {
      const size = Math.min(bytes.length - at, 1 + this.draw(small ? 2_000 : 200_000));
      const goes = this.socket.write(bytes.subarray(at, at + size));
      at += size;
      if (!goes) await Promise.race([this.#event('drain'), this.#event('close')]);
      if (this.draw(20) === 0) await pause(this.draw(12));
    }
    return !this.closed;
  }

  /** Up to `most` bytes, at least one; undefined at the end of the connection. */
  async read(most: number, mayPause = true): Promise<Buffer | undefined> {
    if (mayPause && this.draw(30) === 0) await pause(this.draw(15));
    while (this.#unread.length === 0) {
      if (this.ended || this.closed) return undefined;
      this.socket.resume();
      await new Promise<void>((resolve) => {
        this.#wanted = resolve;
      });
    }
    const piece = this.#unread.subarray(0, most);
    this.#unread = this.#unread.subarray(piece.length);
    return piece;
  }

  /** Reads what should be `wanted`. @returns how much of it came; throws when it is something else. */
  async expect(wanted: Buffer): Promise<number> {
    let at = 0;
    while (at < wanted.length) {
      const piece = await this.read(wanted.length - at);
      if (piece === undefined) break;
      if (!piece.equals(wanted.subarray(at, at + piece.length)))
        throw new Error(`wrong bytes within ${piece.length} behind the first ${at} of ${wanted.length}`);
      at += piece.length;
    }
    return at;
  }

  /** Reads an HTTP head. @returns it without its empty line, undefined at the end of the connection. */
  async head(): Promise<string | undefined> {
    let text = '';
    while (!text.endsWith('\r\n\r\n')) {
      const byte = await this.read(1, false);
      if (byte === undefined) return undefined;
      text += byte.toString('latin1');
    }
    return text.slice(0, -4);
  }

  /** @returns whether nothing more came before the FIN. */
  async expectEnd(): Promise<boolean> {
    return (await this.read(1)) === undefined && this.ended;
  }

  async gone(): Promise<void> {
    while (!this.closed) if ((await this.read(65_536)) === undefined && !this.closed) await this.#event('close');
  }

  reset(): void {
    this.socket.resetAndDestroy();
  }

  #news(): void {
    this.#wanted?.();
    this.#wanted = undefined;
  }

  #event(name: string): Promise<void> {
    return this.closed ? Promise.resolve() : new Promise((resolve) => this.socket.once(name, () => resolve()));
  }
}
