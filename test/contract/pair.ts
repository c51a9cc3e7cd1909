/** Two parties that are connected, and the few ways to get there. */
import type { SocketAddress } from '../../src/core/address.ts';
import type { Listener, ListenerSocket } from '../../src/engine/ports/streams.ts';
import { type Behaviour, Party } from './party.ts';
import type { ListenKind, StreamsWorld } from './streams-world.ts';

/** Declares one test of the contract. */
export type Contract = (title: string, run: (world: StreamsWorld) => Promise<void>) => void;

/** A pair of parties that are connected. */
export interface Pair {
  readonly client: Party;
  readonly server: Party;
  readonly listener: Listener;
  readonly socket: ListenerSocket;
}

export async function pair(
  world: StreamsWorld,
  clientBehaviour: Behaviour = {},
  serverBehaviour: Behaviour = {},
  kind: ListenKind = 'ipv4',
): Promise<Pair> {
  const server = new Party('server', serverBehaviour);
  const client = new Party('client', clientBehaviour);
  const socket = world.bind(kind);
  const listener = listen(world, socket, server);
  connect(world, socket.address, client);
  await world.until(() => client.openedCount === 1 && server.stream !== undefined, 'a connection');
  return { client, server, listener, socket };
}

export function connect(world: StreamsWorld, to: SocketAddress, party: Party): Party {
  party.inCall = true;
  party.stream = world.client.connect({ to, keepAlive: false }, party);
  party.inCall = false;
  return party;
}

export function listen(world: StreamsWorld, socket: ListenerSocket, party: Party): Listener {
  return world.server.listen(socket, { keepAlive: false }, (stream) => {
    party.stream = stream;
    return party;
  });
}

export function closed(world: StreamsWorld, ...parties: readonly Party[]): Promise<void> {
  return world.until(
    () => parties.every((party) => party.closedCount === 1),
    `the end of ${parties.map((party) => party.name).join(', ')}`,
  );
}
