/** What a test of the Streams contract runs in: real sockets, or the simulator's. */
import type { ListenerSocket, Streams } from '../../src/engine/ports/streams.ts';

export type ListenKind = 'ipv4' | 'ipv6' | 'unix' | 'abstract';

export interface StreamsWorld {
  readonly client: Streams;
  readonly server: Streams;
  /** Which kinds of address there are; ipv4 is always one. */
  readonly kinds: readonly ListenKind[];
  /** A new listening socket. Undoing it is the world's affair, at `end`. */
  bind(kind: ListenKind): ListenerSocket;
  /** Closes the world's own hold on a listening socket: with the listener closed too, connecting is refused. */
  unbind(socket: ListenerSocket): void;
  /** Lets things happen until `done()`; rejects when that doesn't come true. */
  until(done: () => boolean, what: string): Promise<void>;
  /** Lets everything happen that is under way and needs nobody's doing. */
  quiet(): Promise<void>;
  end(): Promise<void>;
}
