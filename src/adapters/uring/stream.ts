/**
 * One connection on the ring. Receiving is one multishot entry for the stream's life; `pause` cancels it. Where bytes are to be passed to
 * another stream, they go through a pipe once there are many (passage.ts): a poll then tells that there are more, and the pipe belongs to
 * the receiver until it is empty.
 */
import { highWaterBytes, lowWaterBytes } from '../../core/limits.ts';
import type { Stream, StreamError, StreamHandler } from '../../engine/ports/streams.ts';
import { errorName } from '../libc.ts';
import { streamError } from '../stream-error.ts';
import { completionBufferShift, completionFlag, errorNumber, kind, kindBits } from './abi.ts';
import type { UringLoop } from './loop.ts';
import { Passage, type PassageEnd } from './passage.ts';
import type { Pipe } from './pipes.ts';
import { receiveBufferBytes } from './receive-buffers.ts';
import { Sender } from './sender.ts';
import { StreamEntries } from './stream-entries.ts';

type Life =
  | 'connecting'
  | 'open'
  | 'closing' // `close` was called: sends what is queued, hears nothing more
  | 'ending' // nothing more to send or hear; waits for its entries
  | 'gone';

export class UringStream extends StreamEntries implements Stream, PassageEnd {
  handler: StreamHandler | undefined;
  readonly #sender: Sender;
  #life: Life;
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
  /** Where what comes goes unseen. */
  #passage: Passage | undefined = undefined;
  incoming: Passage | undefined = undefined;

  constructor(loop: UringLoop, fd: number, family: number, life: 'connecting' | 'open') {
    super(loop, fd, family);
    this.#life = life;
    this.#sender = new Sender(loop.ring, loop.buffers, loop.slots, loop.pipes);
  }

  /** After `accepted` gave a handler. */
  begin(): void {
    this.#receive(false);
  }

  /** The connection failed before it began: tells so later. */
  fail(error: StreamError): void {
    this.#end(error);
  }

  get unsentBytes(): number {
    return this.#sender.unsentBytes;
  }

  write(buffer: Uint8Array, start: number, end: number): boolean {
    if (this.#finWanted || (this.#life !== 'open' && this.#life !== 'connecting') || this.#error !== undefined)
      return true;
    const waits = this.#sender.blocked || this.#sender.pipe !== undefined || this.#life === 'connecting';
    this.#sender.add(buffer, start, end, !waits);
    if (!waits) this.gatherLater();
    if (this.#sender.bytes <= highWaterBytes) return true;
    if (!waits && this.#sender.sendDirectly(this.socket.fd)) return true;
    this.#wantsDrained = true;
    return false;
  }

  /** What was gathered leaves before the loop waits, whoever wrote it: there is nothing left to do. */
  flush(): void {}

  shutdown(): void {
    if (this.#finWanted || this.#life === 'ending' || this.#life === 'gone') return;
    this.#finWanted = true;
    this.gatherLater();
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
    this.gatherLater();
  }

  reset(): void {
    if (this.#life === 'ending' || this.#life === 'gone') return;
    this.#abort();
  }

  relay(to: Stream, bytes: number): void {
    if (!(to instanceof UringStream && to.loop === this.loop && to.socket.splices && this.socket.splices)) return;
    this.#passage ??= new Passage(this);
    this.#passage.begin(to, bytes);
    this.gatherLater();
  }

  pause(): void {
    if (this.#paused || this.#life === 'ending' || this.#life === 'gone') return;
    this.#paused = true;
    this.gatherLater();
  }

  resume(): void {
    if (!this.#paused || this.#life === 'ending' || this.#life === 'gone') return;
    this.#paused = false;
    if (this.#stash !== undefined || (this.#peerEnded && !this.#toldEnded)) this.tellLater();
    else this.gatherLater();
  }

  /** Before the loop waits: brings the ring in line with what was asked for. */
  gather(): void {
    this.gathering = false;
    if (this.#finWanted) this.incoming?.free(true);
    if (this.#life !== 'open' && this.#life !== 'closing') return;
    if (this.#sender.pipe === undefined) {
      if (!this.#sender.sending && this.#sender.bytes > 0) this.#send();
      if (this.#finWanted && this.#sender.bytes === 0) this.#fin();
    }
    if (this.#life !== 'open') return;
    if (this.#paused) this.stopListening();
    else if (this.#passage?.isOpen === true) this.#listenToPass(this.#passage);
    else if (this.listening === kind.readable) this.stopListening();
    else if (!this.#peerEnded && this.#stash === undefined) this.#receive(false);
  }

  /** What could not be told from inside a call, in the order in which a stream lives. */
  tell(): void {
    this.telling = false;
    if (this.#life === 'gone') {
      const { handler } = this;
      this.handler = undefined;
      handler?.closed(this.#error);
      return;
    }
    while (this.#stash !== undefined && !this.#paused && this.#life === 'open') {
      const bytes = this.#stash.shift()!;
      if (this.#stash.length === 0) this.#stash = undefined;
      this.#give(bytes, 0, bytes.length);
    }
    if (this.#peerEnded && !this.#toldEnded && !this.#paused && this.#life === 'open') this.#tellEnded();
    this.gatherLater();
  }

  completed(what: number, result: number, flags: number): void {
    if (what === kind.receive) this.#received(result, flags);
    else if (what === kind.send) this.#sent(result);
    else if (what === kind.readable) this.#readable(result);
    else if (what === kind.writable) this.#writable();
    else this.#connected(result);
  }

  #connected(result: number): void {
    this.underWay--;
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
    this.gatherLater();
  }

  #receive(idle: boolean): void {
    if (this.listening === 0 && !this.#paused && this.#life === 'open') this.listen(idle);
  }

  #received(result: number, flags: number): void {
    const { buffers } = this.loop;
    if ((flags & completionFlag.MORE) === 0) this.listeningEnded();
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
    else if (this.listening === 0) this.gatherLater();
  }

  #show(start: number, length: number): void {
    const { bytes } = this.loop.buffers;
    if (!this.#paused && this.#stash === undefined) {
      this.#give(bytes, start, start + length);
      return;
    }
    this.#stash ??= [];
    this.#stash.push(bytes.slice(start, start + length));
    if (!this.#paused) this.tellLater();
  }

  #give(bytes: Uint8Array, start: number, end: number): void {
    this.#passage?.shown(end - start);
    this.handler!.received(bytes, start, end);
    if (this.#passage?.isOpen === true) this.gatherLater();
  }

  #eof(): void {
    if (this.#error !== undefined || this.#life === 'closing') {
      // After a failed send this is where the socket's last bytes end; after `close` nobody listens.
      if (this.#error !== undefined) this.#end(this.#error);
      else this.gatherLater();
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
        if (this.loop.buffers.free === 0) this.loop.buffers.grow();
        this.gatherLater();
        return;
      case errorNumber.ECANCELED:
      case errorNumber.EINTR:
      case errorNumber.EAGAIN:
        this.gatherLater();
        return;
      default:
        this.#end(this.#life === 'closing' ? undefined : (this.#error ?? streamError(errorName(error))));
    }
  }

  // ------------------------------------------------------------ sending

  #send(): void {
    const awaited = this.#finWanted || this.#wantsDrained;
    this.#sender.send(this.socket.fd, (this.index << kindBits) | kind.send, this.generation, awaited);
    this.underWay++;
  }

  #sent(result: number): void {
    this.underWay--;
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
    if (left > 0 || this.#finWanted) this.gatherLater();
    else if (this.incoming !== undefined) this.incoming.free(false);
    if (this.#wantsDrained && left <= lowWaterBytes) {
      this.#wantsDrained = false;
      if (this.#life === 'open') this.handler!.drained();
    }
  }

  /** It can't send any more. What came before is still to be read, and then its end: the receive entry may have slept through a reset behind bytes. */
  #sendFailed(error: number): void {
    const word = streamError(errorName(error));
    this.socket.shutdown();
    this.#sender.clear();
    this.#wantsDrained = false;
    if (this.#life === 'closing' || this.#peerEnded || this.#paused || this.listening === 0)
      this.#end(this.#life === 'closing' ? undefined : word);
    else this.#error = word;
  }

  // ------------------------------------------------------------ passing on

  #listenToPass(passage: Passage): void {
    if (this.listening === kind.receive) this.stopListening();
    if (this.listening !== 0 || this.#peerEnded || this.#stash !== undefined) return;
    const { reception } = passage.to!;
    if (reception === 'open') this.awaitReadable();
    else if (reception === 'over') {
      passage.end();
      this.#receive(false);
    }
  }

  #readable(result: number): void {
    this.listeningEnded();
    if (this.#life === 'ending') {
      this.#finish();
      return;
    }
    this.gatherLater();
    if (result < 0 || this.#life !== 'open' || this.#paused || this.#passage!.to === undefined) return;
    const came = this.#passage!.turn(this.socket.fd, this.loop.pipes);
    if (came < 0) this.#receiveFailed(-came);
    else if (came === 0) {
      this.#peerEnded = true;
      this.#eof();
    }
  }

  passedOn(bytes: number): void {
    if (this.#life === 'open') this.handler!.relayed!(bytes);
  }

  get reception(): 'open' | 'waits' | 'over' {
    if (this.#life !== 'open' || this.#finWanted || this.#error !== undefined) return 'over';
    return this.#sender.isEmpty ? 'open' : 'waits';
  }

  takePipe(pipe: Pipe): void {
    this.#sender.pipe = pipe;
    this.#drainPipe();
  }

  /** @returns whether bytes left it. */
  #drainPipe(): boolean {
    const left = this.#sender.drainPipe(this.socket.fd);
    if (left < 0) this.#sendFailed(-left);
    else if (this.#sender.pipe !== undefined) this.awaitWritable();
    else {
      this.gatherLater();
      this.incoming?.free(false);
    }
    return left > 0;
  }

  #writable(): void {
    this.underWay--;
    if (this.#life === 'ending') this.#finish();
    const of = this.#sender.pipe?.of;
    if (of !== undefined && this.#drainPipe()) of.passedOn(0);
  }

  #fin(): void {
    if (this.#life === 'closing' || this.#toldEnded) this.#endOrderly();
    else if (!this.#finSent) this.socket.shutdownWriting();
    this.#finSent = true;
  }

  #endOrderly(): void {
    // Sends the FIN, and ends the receive entry, which reads what is left.
    if (this.listening !== 0) this.socket.shutdown();
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
    this.socket.resetAtClose();
    this.cancelAll();
    this.#finish();
  }

  #end(error: StreamError | undefined): void {
    this.#life = 'ending';
    this.#error = error;
    this.#stash = undefined;
    if (!this.#sender.sending) this.#sender.clear();
    this.cancelAll();
    this.#finish();
  }

  /** Closes when the last entry has completed. */
  #finish(): void {
    if (this.underWay > 0 || this.#life !== 'ending') return;
    this.#life = 'gone';
    this.#sender.clear();
    this.#passage?.end();
    this.incoming?.free(true);
    if (this.#orderly && !this.#peerEnded) this.socket.drain();
    this.socket.close();
    this.loop.leave(this.index);
    this.tellLater();
  }
}
