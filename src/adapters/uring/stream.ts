/**
 * One connection on the ring.
 *
 * Receiving is one multishot entry for the stream's life; `pause` cancels it.
 * The descriptor is closed when no entry is under way any more: an entry holds the socket open, and its number could be given to a
 * stranger.
 */
import type { SocketAddress } from '../../core/address.ts';
import { highWaterBytes, lowWaterBytes } from '../../core/limits.ts';
import type { Stream, StreamError, StreamHandler } from '../../engine/ports.ts';
import { errorName } from '../libc.ts';
import { streamError } from '../stream-error.ts';
import {
  completionBufferShift,
  completionFlag,
  entryFlag,
  errorNumber,
  kind,
  kindBits,
  op,
  receiveFlag,
} from './abi.ts';
import type { Gatherer, Target, Teller, UringLoop } from './loop.ts';
import { receiveBufferBytes, receiveGroup } from './receive-buffers.ts';
import { putAddress } from './ring.ts';
import { Sender } from './sender.ts';
import { Socket } from './socket.ts';

type Life =
  | 'connecting'
  | 'open'
  | 'closing' // `close` was called: sends what is queued, hears nothing more
  | 'ending' // nothing more to send or hear; waits for its entries
  | 'gone';

export class UringStream implements Stream, Target, Gatherer, Teller {
  generation = 0;
  handler: StreamHandler | undefined;
  readonly #loop: UringLoop;
  readonly #socket: Socket;
  readonly #index: number;
  readonly #sender: Sender;
  #life: Life;
  /** Entries whose last completion has not come. */
  #underWay = 0;
  #receiving = false;
  #gathering = false;
  #telling = false;
  #cancelling = false;
  #paused = false;
  #wantsDrained = false;
  #finWanted = false;
  #finSent = false;
  #peerEnded = false;
  #toldEnded = false;
  #orderly = false;
  /** What came after `pause`, copied, so that the buffers go on serving others. */
  #stash: Uint8Array[] | undefined = undefined;
  #error: StreamError | undefined = undefined;

  constructor(loop: UringLoop, fd: number, family: number, life: 'connecting' | 'open') {
    this.#loop = loop;
    this.#socket = new Socket(fd, family);
    this.#life = life;
    this.#sender = new Sender(loop.ring, loop.buffers, loop.slots);
    this.#index = loop.join(this);
  }

  // ------------------------------------------------------------ birth

  /** After `accepted` gave a handler. */
  begin(): void {
    this.#receive(false);
  }

  /** The address must stay where it is until the entry is handed over. */
  connect(sockaddr: number, length: number): void {
    const index = this.#push(op.CONNECT, kind.connect);
    const { entries } = this.#loop.ring;
    putAddress(entries, index * 16 + 4, sockaddr);
    entries[index * 16 + 2] = length; // addr2
    this.#underWay++;
  }

  /** The connection failed before it began: tells so later. */
  fail(error: StreamError): void {
    this.#end(error);
  }

  // ------------------------------------------------------------ the port

  get unsentBytes(): number {
    return this.#sender.bytes;
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#finWanted || (this.#life !== 'open' && this.#life !== 'connecting') || this.#error !== undefined)
      return true;
    const waits = this.#sender.blocked || this.#life === 'connecting';
    this.#sender.add(buffer, start, end, !waits);
    if (!waits) this.#gatherLater();
    if (this.#sender.bytes <= highWaterBytes) return true;
    if (!waits && this.#sender.sendDirectly(this.#socket.fd)) return true;
    this.#wantsDrained = true;
    return false;
  }

  /** What was gathered leaves before the loop waits, whoever wrote it: there is nothing left to do. */
  flush(): void {}

  shutdown(): void {
    if (this.#finWanted || this.#life === 'ending' || this.#life === 'gone') return;
    this.#finWanted = true;
    this.#gatherLater();
  }

  close(): void {
    if (this.#life === 'connecting') {
      this.#abort();
      return;
    }
    if (this.#life !== 'open') return;
    this.#life = 'closing';
    this.#finWanted = true;
    this.#wantsDrained = false;
    this.#stash = undefined;
    this.#gatherLater();
  }

  reset(): void {
    if (this.#life === 'ending' || this.#life === 'gone') return;
    this.#abort();
  }

  pause(): void {
    if (this.#paused || this.#life === 'ending' || this.#life === 'gone') return;
    this.#paused = true;
    this.#gatherLater();
  }

  resume(): void {
    if (!this.#paused || this.#life === 'ending' || this.#life === 'gone') return;
    this.#paused = false;
    if (this.#stash !== undefined || (this.#peerEnded && !this.#toldEnded)) this.#tellLater();
    else this.#gatherLater();
  }

  remoteAddress(): SocketAddress {
    return this.#socket.remoteAddress();
  }

  localAddress(): SocketAddress {
    return this.#socket.localAddress();
  }

  // ------------------------------------------------------------ the loop's calls

  #gatherLater(): void {
    if (this.#gathering) return;
    this.#gathering = true;
    this.#loop.gatherLater(this);
  }

  #tellLater(): void {
    if (this.#telling) return;
    this.#telling = true;
    this.#loop.tellLater(this);
  }

  /** Before the loop waits: brings the ring in line with what was asked for. */
  gather(): void {
    this.#gathering = false;
    if (this.#life !== 'open' && this.#life !== 'closing') return;
    if (!this.#sender.sending && this.#sender.bytes > 0) this.#send();
    if (this.#finWanted && this.#sender.bytes === 0) this.#fin();
    if (this.#life !== 'open') return;
    if (this.#paused) this.#stopReceiving();
    else if (!this.#receiving && !this.#peerEnded && this.#stash === undefined) this.#receive(false);
  }

  /** What could not be told from inside a call, in the order in which a stream lives. */
  tell(): void {
    this.#telling = false;
    if (this.#life === 'gone') {
      const { handler } = this;
      this.handler = undefined;
      handler?.closed(this.#error);
      return;
    }
    while (this.#stash !== undefined && !this.#paused && this.#life === 'open') {
      const bytes = this.#stash.shift()!;
      if (this.#stash.length === 0) this.#stash = undefined;
      this.handler!.received(bytes, 0, bytes.length);
    }
    if (this.#peerEnded && !this.#toldEnded && !this.#paused && this.#life === 'open') this.#tellEnded();
    this.#gatherLater();
  }

  completed(what: number, result: number, flags: number): void {
    if (what === kind.receive) this.#received(result, flags);
    else if (what === kind.send) this.#sent(result);
    else this.#connected(result);
  }

  #push(opcode: number, what: number): number {
    return this.#loop.ring.push(opcode, this.#socket.fd, (this.#index << kindBits) | what, this.generation);
  }

  // ------------------------------------------------------------ connecting

  #connected(result: number): void {
    this.#underWay--;
    if (this.#life === 'ending') {
      this.#finish();
      return;
    }
    if (result < 0) {
      this.#end(streamError(errorName(-result)));
      return;
    }
    this.#life = 'open';
    this.#receive(true);
    this.handler!.opened(this);
    this.#gatherLater();
  }

  // ------------------------------------------------------------ receiving

  #receive(idle: boolean): void {
    if (this.#receiving || this.#paused || this.#life !== 'open') return;
    const index = this.#push(op.RECV, kind.receive);
    const { entries } = this.#loop.ring;
    const at = index * 16;
    const how = idle ? receiveFlag.MULTISHOT | receiveFlag.POLL_FIRST : receiveFlag.MULTISHOT;
    entries[at] = op.RECV | (entryFlag.BUFFER_SELECT << 8) | (how << 16);
    entries[at + 10] = receiveGroup;
    this.#receiving = true;
    this.#underWay++;
  }

  #stopReceiving(): void {
    if (!this.#receiving || this.#cancelling) return;
    this.#cancelling = true;
    this.#loop.ring.cancel((this.#index << kindBits) | kind.receive, this.generation);
  }

  #received(result: number, flags: number): void {
    const { buffers } = this.#loop;
    if ((flags & completionFlag.MORE) === 0) {
      this.#receiving = false;
      this.#cancelling = false;
      this.#underWay--;
    }
    if ((flags & completionFlag.BUFFER) !== 0) {
      const buffer = flags >>> completionBufferShift;
      buffers.filled(buffer);
      if (result > 0 && this.#life === 'open') this.#show(buffer * receiveBufferBytes, result);
      buffers.release(buffer);
    }
    if (result === 0) this.#peerEnded = true;
    if (this.#life === 'ending') {
      this.#finish();
      return;
    }
    if (result === 0) this.#eof();
    else if (result < 0) this.#receiveFailed(-result);
    else if (!this.#receiving) this.#gatherLater();
  }

  #show(start: number, length: number): void {
    const { bytes } = this.#loop.buffers;
    if (!this.#paused && this.#stash === undefined) {
      this.handler!.received(bytes, start, start + length);
      return;
    }
    this.#stash ??= [];
    this.#stash.push(bytes.slice(start, start + length));
    if (!this.#paused) this.#tellLater();
  }

  #eof(): void {
    if (this.#error !== undefined || this.#life === 'closing') {
      // After a failed send this is where the socket's last bytes end; after `close` nobody listens.
      if (this.#error !== undefined) this.#end(this.#error);
      else this.#gatherLater();
      return;
    }
    if (!this.#paused && this.#stash === undefined) this.#tellEnded();
  }

  #tellEnded(): void {
    this.#toldEnded = true;
    this.handler!.ended();
    if (this.#finSent && this.#life === 'open') this.#endOrderly();
  }

  #receiveFailed(error: number): void {
    switch (error) {
      case errorNumber.ENOBUFS:
        // More came at once than there are buffers. Those in use are back before the next wait.
        if (this.#loop.buffers.free === 0) this.#loop.buffers.grow();
        this.#gatherLater();
        return;
      case errorNumber.ECANCELED:
      case errorNumber.EINTR:
      case errorNumber.EAGAIN:
        this.#gatherLater();
        return;
      default:
        this.#end(this.#life === 'closing' ? undefined : (this.#error ?? streamError(errorName(error))));
    }
  }

  // ------------------------------------------------------------ sending

  #send(): void {
    const awaited = this.#finWanted || this.#wantsDrained;
    this.#sender.send(this.#socket.fd, (this.#index << kindBits) | kind.send, this.generation, awaited);
    this.#underWay++;
  }

  #sent(result: number): void {
    this.#underWay--;
    const error = this.#sender.completed(result);
    if (this.#life === 'ending') {
      this.#finish();
      return;
    }
    if (error > 0) {
      this.#sendFailed(error);
      return;
    }
    const left = this.#sender.bytes;
    if (left > 0 || this.#finWanted) this.#gatherLater();
    if (this.#wantsDrained && left <= lowWaterBytes) {
      this.#wantsDrained = false;
      if (this.#life === 'open') this.handler!.drained();
    }
  }

  /** The socket can't send any more. What it received before is still to be read; its end comes at once, then. */
  #sendFailed(error: number): void {
    const word = streamError(errorName(error));
    this.#sender.clear();
    this.#wantsDrained = false;
    if (this.#life === 'closing' || this.#peerEnded || this.#paused || !this.#receiving)
      this.#end(this.#life === 'closing' ? undefined : word);
    else this.#error = word;
  }

  // ------------------------------------------------------------ ending

  #fin(): void {
    if (this.#life === 'closing' || this.#toldEnded) this.#endOrderly();
    else if (!this.#finSent) this.#socket.shutdownWriting();
    this.#finSent = true;
  }

  #endOrderly(): void {
    // Sends the FIN, and ends the receive entry, which reads what is left.
    if (this.#receiving) this.#socket.shutdown();
    this.#life = 'ending';
    this.#error = undefined;
    this.#orderly = true;
    this.#finish();
  }

  #abort(): void {
    this.#error = undefined;
    this.#life = 'ending';
    this.#stash = undefined;
    if (!this.#sender.sending) this.#sender.clear();
    this.#socket.resetAtClose();
    this.#cancelAll();
    this.#finish();
  }

  #end(error: StreamError | undefined): void {
    this.#life = 'ending';
    this.#error = error;
    this.#stash = undefined;
    if (!this.#sender.sending) this.#sender.clear();
    this.#cancelAll();
    this.#finish();
  }

  #cancelAll(): void {
    if (this.#underWay > 0) this.#loop.ring.cancelAll(this.#socket.fd);
  }

  /** Closes when the last entry has completed. */
  #finish(): void {
    if (this.#underWay > 0 || this.#life !== 'ending') return;
    this.#life = 'gone';
    this.#sender.clear();
    if (this.#orderly && !this.#peerEnded) this.#socket.drain();
    this.#socket.close();
    this.#loop.leave(this.#index);
    this.#tellLater();
  }
}
