/** TCP connections of this network namespace as /proc/net/tcp and tcp6 list them (proc_net_tcp.rst of the kernel's documentation). */
import { readFile } from 'node:fs/promises';
import type { IpFamily } from '../core/address.ts';

export interface TcpConnection {
  readonly localAddress: Uint8Array;
  readonly remoteAddress: Uint8Array;
  readonly localPort: number;
  readonly remotePort: number;
}

/**
 * States in which nobody waits for anything of the other end any more (include/net/tcp_states.h): TIME-WAIT has had all of it and only lasts a
 * minute, so that a busy host has thousands of those.
 */
const over = new Set(['06' /* TIME-WAIT */, '07' /* CLOSED */, '0A' /* LISTEN */]);
/** ::ffff:0:0/96, as the kernel writes it: how a socket for both families shows IPv4. */
const mapped = '0000000000000000FFFF0000';

/** Connections that are open, and whose end on this host is one of the addresses. The kernel walks all of its table for it: tens of milliseconds, elsewhere. */
export async function connectionsAt(family: IpFamily, addresses: readonly Uint8Array[]): Promise<TcpConnection[]> {
  const own = addresses.map(asListed);
  if (family === 'ipv6') return listed('/proc/net/tcp6', own, '');
  return [...(await listed('/proc/net/tcp', own, '')), ...(await listed('/proc/net/tcp6', own, mapped))];
}

async function listed(file: string, own: readonly string[], prefix: string): Promise<TcpConnection[]> {
  const found: TcpConnection[] = [];
  for (const line of await lines(file)) {
    const [, local, remote, state] = line.trim().split(/ +/, 4);
    if (remote === undefined || over.has(state!) || !local!.startsWith(prefix)) continue;
    const [localAddress, localPort] = local!.slice(prefix.length).split(':');
    const [remoteAddress, remotePort] = remote.slice(prefix.length).split(':');
    if (!own.includes(localAddress!)) continue;
    found.push({
      localAddress: fromListed(localAddress!),
      remoteAddress: fromListed(remoteAddress!),
      localPort: Number.parseInt(localPort!, 16),
      remotePort: Number.parseInt(remotePort!, 16),
    });
  }
  return found;
}

/** A kernel without IPv6 has no tcp6. */
async function lines(file: string): Promise<string[]> {
  try {
    return (await readFile(file, 'latin1')).split('\n').slice(1);
  } catch {
    return [];
  }
}

/** Words of four octets, each as a number of this machine, whose byte order is little-endian. */
function asListed(address: Uint8Array): string {
  return Buffer.from(address).swap32().toString('hex').toUpperCase();
}

function fromListed(text: string): Uint8Array {
  return Buffer.from(text, 'hex').swap32();
}
