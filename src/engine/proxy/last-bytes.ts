/**
 * What still waits to be sent when nothing else is awaited of a connection. The peer has its time for it, anew whenever it read some:
 * one that never reads would hold the connection, and all that is queued for it, for ever.
 */
import type { Stream } from '../ports/streams.ts';
import { Timer, type TimerOwner } from '../timer-wheel.ts';
import type { ProxyContext } from './runtime.ts';

export class LastBytes implements TimerOwner {
  readonly #context: ProxyContext;
  readonly #stream: Stream;
  readonly #ms: number;
  readonly #timer = new Timer(this);
  #unsentBytes: number;

  /**
   * Closes the stream.
   * @param ms 0: whoever set no timeout waits for ever.
   * @returns undefined when nothing needs to be watched; otherwise `over` is to be called when the stream is closed.
   */
  static close(context: ProxyContext, stream: Stream, ms: number): LastBytes | undefined {
    stream.close();
    return ms > 0 && stream.unsentBytes > 0 ? new LastBytes(context, stream, ms) : undefined;
  }

  private constructor(context: ProxyContext, stream: Stream, ms: number) {
    this.#context = context;
    this.#stream = stream;
    this.#ms = ms;
    this.#unsentBytes = stream.unsentBytes;
    this.#arm();
  }

  expired(): void {
    const { unsentBytes } = this.#stream;
    if (unsentBytes === this.#unsentBytes) {
      this.#stream.reset();
      return;
    }
    this.#unsentBytes = unsentBytes;
    this.#arm();
  }

  over(): void {
    this.#context.wheel.remove(this.#timer);
  }

  #arm(): void {
    this.#context.wheel.arm(this.#timer, this.#context.clock.now() + this.#ms);
  }
}
