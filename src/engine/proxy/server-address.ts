/** Where a server is: its own address, and for `server name :+N` the port the client came to, plus N (manual 5.2). */
import type { SocketAddress } from '../../core/address.ts';
import type { Stream } from '../ports/streams.ts';

/** @returns undefined while the server's name has no address. */
export function serverAddress(
  address: SocketAddress | undefined,
  portOffset: number | undefined,
  client: Stream,
): SocketAddress | undefined {
  if (portOffset === undefined || address === undefined || address.family === 'unix') return address;
  const local = client.localAddress();
  if (local.family === 'unix') return address;
  const port = local.port + portOffset;
  return port > 0 && port < 65_536 ? { ...address, port } : undefined;
}
