/** The exchange objects of one worker that serve nobody just now: there are as many as there are requests at a time, not connections. */
import { idleExchangesMax } from '../../core/limits.ts';
import type { HttpExchange } from './http-exchange.ts';

export class IdleExchanges {
  readonly #idle: HttpExchange[] = [];

  /** The one used last: it is likely in the processor's cache. */
  take(): HttpExchange | undefined {
    return this.#idle.pop();
  }

  /** Only once it is over. */
  give(exchange: HttpExchange): void {
    if (this.#idle.length < idleExchangesMax) this.#idle.push(exchange);
    else exchange.dispose();
  }
}
