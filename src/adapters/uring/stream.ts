/**
 * One connection on the ring.
 *
 * At most one send is under way, so that order needs no thought. The first try doesn't wait (MSG_DONTWAIT): the kernel completes it
 * while the entries are handed over, whatever the peer does. Only what it couldn't take waits for the peer, from slots of its own.
 * Receiving is one multishot entry for the stream's life; `pause` cancels it.
 * The descriptor is closed when no entry is under way any more: an entry holds the socket open, and its number could be given to a
 * stranger. System calls that never wait (shutdown, close, setsockopt) are made directly; on the ring they would cost more.
 */
import type { SocketAddress } from '../../core/address.ts';
import { highWaterBytes, lowWaterBytes } from '../../core/limits.ts';
import type { Stream, StreamError, StreamHandler } from '../../engine/ports.ts';
import { errorName, libc, linux } from '../libc.ts';
import { decodeSockaddr, sockaddrBytesMax } from '../sockaddr.ts';
import { streamError } from '../stream-error.ts';
import {
  cancelFlag,
  completionBufferShift,
  completionFlag,
  entryFlag,
  errorNumber,
  kind,
  kindBits,
  op,
  receiveFlag,
} from './abi.ts';
import { noteClosing, noteOpened } from './ledger.ts';
import type { Gatherer, Target, Teller, UringLoop } from './loop.ts';
import { receiveBufferBytes, receiveGroup } from './memory.ts';
import { Outbox } from './outbox.ts';
import { putAddress } from './ring.ts';

const sendFlags = linux.MSG_NOSIGNAL;
const sendNowFlags = linux.MSG_NOSIGNAL | linux.MSG_DONTWAIT;
const shutWrite = 1;
const shutBoth = 2;
/** Most bytes read away when a paused stream is closed: a socket's receive buffer at its usual most. */
const drainBytesMax = 6_291_456;

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
  readonly #fd: number;
  readonly #family: number;
  readonly #index: number;
  readonly #outbox: Outbox;
  #life: Life;
  /** Entries whose last completion has not come. */
  #underWay = 0;
  #receiving = false;
  #sending = false;
  /** The send under way is one that doesn't wait. */
  #certain = false;
  /** Bytes of the send that is under way. */
  #attempted = 0;
  /** The kernel could not take everything at once: what is queued waits for the peer. */
  #blocked = false;
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
  #remote: SocketAddress | undefined = undefined;
  #local: SocketAddress | undefined = undefined;

  constructor(loop: UringLoop, fd: number, family: number, life: 'connecting' | 'open') {
    this.#loop = loop;
    this.#fd = fd;
    this.#family = family;
    this.#life = life;
    this.#outbox = new Outbox(loop.buffers, loop.slots);
    this.#index = loop.join(this);
    noteOpened(fd);
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
    return this.#outbox.bytes;
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#finWanted || (this.#life !== 'open' && this.#life !== 'connecting') || this.#error !== undefined)
      return true;
    const waits = this.#blocked || this.#life === 'connecting';
    this.#outbox.add(buffer, start, end, !waits);
    if (!waits) this.#gatherLater();
    if (this.#outbox.bytes <= highWaterBytes) return true;
    if (!waits && this.#sendDirectly()) return true;
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
    return (this.#remote ??= this.#ask('getpeername')) ?? nowhere;
  }

  localAddress(): SocketAddress {
    return (this.#local ??= this.#ask('getsockname')) ?? nowhere;
  }

  #ask(name: 'getpeername' | 'getsockname'): SocketAddress | undefined {
    if (this.#life === 'gone') return undefined;
    askedLength[0] = sockaddrBytesMax;
    if (libc()![name](this.#fd, asked, askedLengthBytes) < 0) return undefined;
    return decodeSockaddr(asked, askedLength[0]);
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
    if (!this.#sending && this.#outbox.bytes > 0) this.#send();
    if (this.#finWanted && this.#outbox.bytes === 0) this.#fin();
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
    return this.#loop.ring.push(opcode, this.#fd, (this.#index << kindBits) | what, this.generation);
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
    const { ring } = this.#loop;
    const index = ring.push(op.ASYNC_CANCEL, -1, kind.ignored, 0);
    ring.entries[index * 16 + 4] = (this.#index << kindBits) | kind.receive;
    ring.entries[index * 16 + 5] = this.generation;
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
    const { ring } = this.#loop;
    const flags = this.#blocked ? sendFlags : sendNowFlags;
    const single = this.#outbox.single;
    const index = this.#push(single === undefined ? op.SENDMSG : op.SEND, kind.send);
    const at = index * 16;
    if (single === undefined) {
      this.#attempted = this.#outbox.describe(ring, index);
      putAddress(ring.entries, at + 4, ring.messageAddress(index));
      ring.entries[at + 6] = 1;
    } else {
      this.#attempted = single.length;
      putAddress(ring.entries, at + 4, single.address);
      ring.entries[at + 6] = single.length;
    }
    ring.entries[at + 7] = flags;
    this.#sending = true;
    this.#certain = !this.#blocked;
    if (this.#certain) ring.certain();
    this.#underWay++;
  }

  /** A writer that goes on and on learns from the kernel at once whether the peer keeps up: true = everything is sent. */
  #sendDirectly(): boolean {
    if (this.#sending) return false;
    const { ring } = this.#loop;
    // The entry is never used: only its message header is borrowed.
    const index = ring.spare();
    const message = BigInt(ring.messageAddress(index));
    while (this.#outbox.bytes > 0) {
      const attempted = this.#outbox.describe(ring, index);
      const sent = libc()!.sendmsg(this.#fd, message, sendNowFlags);
      if (sent > 0) this.#outbox.sent(sent);
      if (sent === attempted) continue;
      // EAGAIN, or an error that the ring's own send will find again.
      this.#blocked = true;
      this.#outbox.detach();
      return this.#outbox.bytes <= highWaterBytes;
    }
    return true;
  }

  #sent(result: number): void {
    this.#underWay--;
    this.#sending = false;
    if (this.#certain) this.#loop.ring.certainTaken();
    if (this.#life === 'ending') {
      this.#finish();
      return;
    }
    if (result < 0 && result !== -errorNumber.EAGAIN && result !== -errorNumber.EINTR) {
      this.#sendFailed(-result);
      return;
    }
    if (result > 0) this.#outbox.sent(result);
    const left = this.#outbox.bytes;
    if (left === 0) this.#blocked = false;
    else if (!this.#blocked && result < this.#attempted) {
      this.#blocked = true;
      this.#outbox.detach();
    }
    if (left > 0 || this.#finWanted) this.#gatherLater();
    if (this.#wantsDrained && left <= lowWaterBytes) {
      this.#wantsDrained = false;
      if (this.#life === 'open') this.handler!.drained();
    }
  }

  /** The socket can't send any more. What it received before is still to be read; its end comes at once, then. */
  #sendFailed(error: number): void {
    const word = streamError(errorName(error));
    this.#outbox.clear();
    this.#wantsDrained = false;
    if (this.#life === 'closing' || this.#peerEnded || this.#paused || !this.#receiving)
      this.#end(this.#life === 'closing' ? undefined : word);
    else this.#error = word;
  }

  // ------------------------------------------------------------ ending

  #fin(): void {
    if (this.#life === 'closing' || this.#toldEnded) this.#endOrderly();
    else if (!this.#finSent) libc()!.shutdown(this.#fd, shutWrite);
    this.#finSent = true;
  }

  #endOrderly(): void {
    // Sends the FIN, and ends the receive entry, which reads what is left.
    if (this.#receiving) libc()!.shutdown(this.#fd, shutBoth);
    this.#life = 'ending';
    this.#error = undefined;
    this.#orderly = true;
    this.#finish();
  }

  /** Bytes left unread in the kernel would turn the FIN into a RST, and what was sent might never be read. */
  #drain(): void {
    const trunc = 0x20; // MSG_TRUNC: TCP throws the bytes away without copying them (tcp(7)).
    if (this.#family !== linux.AF_UNIX)
      libc()!.recvfrom(this.#fd, null, drainBytesMax, trunc | linux.MSG_DONTWAIT, null, null);
  }

  #abort(): void {
    this.#error = undefined;
    this.#life = 'ending';
    this.#stash = undefined;
    if (!this.#sending) this.#outbox.clear();
    if (this.#family !== linux.AF_UNIX) libc()!.setsockopt(this.#fd, linux.SOL_SOCKET, linux.SO_LINGER, lingerNot, 8);
    this.#cancelAll();
    this.#finish();
  }

  #end(error: StreamError | undefined): void {
    this.#life = 'ending';
    this.#error = error;
    this.#stash = undefined;
    if (!this.#sending) this.#outbox.clear();
    this.#cancelAll();
    this.#finish();
  }

  #cancelAll(): void {
    if (this.#underWay === 0) return;
    const { ring } = this.#loop;
    const index = ring.push(op.ASYNC_CANCEL, this.#fd, kind.ignored, 0);
    ring.entries[index * 16 + 7] = cancelFlag.ALL | cancelFlag.FD;
  }

  /** Closes when the last entry has completed. */
  #finish(): void {
    if (this.#underWay > 0 || this.#life !== 'ending') return;
    this.#life = 'gone';
    this.#outbox.clear();
    if (this.#orderly && !this.#peerEnded) this.#drain();
    noteClosing(this.#fd);
    libc()!.close(this.#fd);
    this.#loop.leave(this.#index);
    this.#tellLater();
  }
}

/** Where addresses are asked into: one call at a time, and no memory for each. */
const asked = new Uint8Array(sockaddrBytesMax);
const askedLength = new Uint32Array(1);
const askedLengthBytes = new Uint8Array(askedLength.buffer);

const nowhere: SocketAddress = { family: 'ipv4', host: '', port: 0 };
/** struct linger { on, 0 seconds }: close sends RST. */
const lingerNot = new Uint8Array(new Int32Array([1, 0]).buffer);
