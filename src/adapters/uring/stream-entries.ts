/** What one connection has under way on the ring, and the turns that it asks the loop for. Its descriptor is closed when nothing is: an entry holds the socket open. */

import type { SocketAddress } from '../../core/address.ts';
import { entryFlag, kind, kindBits, op, pollFor, receiveFlag } from './abi.ts';
import type { Gatherer, Target, Teller, UringLoop } from './loop.ts';
import { receiveGroup } from './receive-buffers.ts';
import { putAddress } from './ring.ts';
import { Socket } from './socket.ts';

export abstract class StreamEntries implements Target, Gatherer, Teller {
  generation = 0;
  protected readonly loop: UringLoop;
  protected readonly socket: Socket;
  protected readonly index: number;
  /** Entries whose last completion has not come. */
  protected underWay = 0;
  /** What waits for bytes: the receive entry, a poll for those that nobody need see, or 0 for nothing. */
  protected listening: 0 | typeof kind.receive | typeof kind.readable = 0;
  #cancelling = false;
  protected gathering = false;
  protected telling = false;

  constructor(loop: UringLoop, fd: number, family: number) {
    this.loop = loop;
    this.socket = new Socket(fd, family);
    this.index = loop.join(this);
  }

  abstract completed(what: number, result: number, flags: number): void;
  abstract gather(): void;
  abstract tell(): void;

  remoteAddress(): SocketAddress {
    return this.socket.remoteAddress();
  }

  localAddress(): SocketAddress {
    return this.socket.localAddress();
  }

  gatherLater(): void {
    if (this.gathering) return;
    this.gathering = true;
    this.loop.gatherLater(this);
  }

  protected tellLater(): void {
    if (this.telling) return;
    this.telling = true;
    this.loop.tellLater(this);
  }

  /** The address must stay where it is until the entry is handed over. */
  connect(sockaddr: number, length: number): void {
    const at = this.#push(op.CONNECT, kind.connect);
    const { entries } = this.loop.ring;
    putAddress(entries, at + 4, sockaddr);
    entries[at + 2] = length; // addr2
  }

  /** One multishot entry for as long as the stream lives. @param idle nothing can be there yet. */
  protected listen(idle: boolean): void {
    const at = this.#push(op.RECV, kind.receive);
    const { entries } = this.loop.ring;
    const how = idle ? receiveFlag.MULTISHOT | receiveFlag.POLL_FIRST : receiveFlag.MULTISHOT;
    entries[at] = op.RECV | (entryFlag.BUFFER_SELECT << 8) | (how << 16);
    entries[at + 10] = receiveGroup;
    this.listening = kind.receive;
  }

  protected awaitReadable(): void {
    const at = this.#push(op.POLL_ADD, kind.readable);
    this.loop.ring.entries[at + 7] = pollFor.input | pollFor.peerEnded;
    this.listening = kind.readable;
  }

  protected awaitWritable(): void {
    const at = this.#push(op.POLL_ADD, kind.writable);
    this.loop.ring.entries[at + 7] = pollFor.output;
  }

  /** Its last completion still comes. */
  protected stopListening(): void {
    if (this.listening === 0 || this.#cancelling) return;
    this.#cancelling = true;
    this.loop.ring.cancel((this.index << kindBits) | this.listening, this.generation);
  }

  /** That completion has come. */
  protected listeningEnded(): void {
    this.listening = 0;
    this.#cancelling = false;
    this.underWay--;
  }

  protected cancelAll(): void {
    if (this.underWay > 0) this.loop.ring.cancelAll(this.socket.fd);
  }

  #push(opcode: number, what: number): number {
    this.underWay++;
    return this.loop.ring.push(opcode, this.socket.fd, (this.index << kindBits) | what, this.generation) * 16;
  }
}
