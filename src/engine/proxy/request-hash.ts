/** The hash that `balance source|uri|hdr` chooses a server by; -1 = none, the server is chosen by turns. */
import type { SocketAddress } from '../../core/address.ts';
import type { BalanceKey } from '../../core/balance/key.ts';
import type { Head } from '../../core/http1/head.ts';
import type { Stream } from '../ports/streams.ts';
import type { BackendRuntime } from './runtime.ts';

export function requestHash(backend: BackendRuntime, head: Head, client: Stream): number {
  const { balanceKey, balanceField } = backend;
  switch (balanceKey.kind) {
    case 'none':
      return -1;
    case 'source':
      return addressHash(balanceKey, client.remoteAddress());
    case 'uri':
      return balanceKey.hash(head.buffer, head.targetStart, head.targetEnd);
    case 'header': {
      const index = head.find(balanceField);
      if (index < 0) return -1;
      return balanceKey.hash(head.buffer, head.offsets[index * 4 + 2]!, head.offsets[index * 4 + 3]!);
    }
  }
}

export function addressHash(key: BalanceKey, client: SocketAddress): number {
  return client.family === 'unix' ? -1 : key.hashAddress(client.host);
}
