/** Worlds for the Streams contract on real sockets of this machine: loopback addresses and unix sockets in a folder of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { bindListener, closeListener } from '../../src/adapters/listener.ts';
import type { ListenerSocket, Streams } from '../../src/engine/ports/streams.ts';
import type { ListenKind, StreamsWorld } from './streams-world.ts';

/** Longest wait for an event: far more than a loaded machine needs, so that only a lost event takes it. */
const eventMsMax = 20_000;
/** Turns of the event loop, and milliseconds, after which loopback traffic that needs nobody's doing has settled. */
const quietTurns = 20;
const quietMs = 8;

export function realWorld(client: Streams, server: Streams, dispose: () => void = () => {}): StreamsWorld {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-streams-'));
  const sockets = new Set<ListenerSocket>();
  let names = 0;
  const address = (kind: ListenKind) => {
    const name = `${process.pid}-${names++}`;
    switch (kind) {
      case 'ipv4':
        return { family: 'ipv4', host: '127.0.0.1', port: 0 } as const;
      case 'ipv6':
        return { family: 'ipv6', host: '::1', port: 0 } as const;
      case 'unix':
        return { family: 'unix', path: join(folder, name) } as const;
      case 'abstract':
        return { family: 'unix', path: `\0evergate-${folder.slice(-6)}-${name}` } as const;
    }
  };
  const unbind = (socket: ListenerSocket): void => {
    if (sockets.delete(socket)) closeListener(socket);
  };
  return {
    client,
    server,
    kinds: hasIpv6() ? ['ipv4', 'ipv6', 'unix', 'abstract'] : ['ipv4', 'unix', 'abstract'],
    bind: (kind) => {
      const socket = bindListener({ backlog: 0, address: address(kind) });
      sockets.add(socket);
      return socket;
    },
    unbind,
    until: async (done, what) => {
      const latest = performance.now() + eventMsMax;
      while (!done()) {
        if (performance.now() > latest) throw new Error(`waited in vain for ${what}`);
        await nextTurn();
      }
    },
    quiet: async () => {
      const earliest = performance.now() + quietMs;
      for (let turn = 0; turn < quietTurns || performance.now() < earliest; turn++) await nextTurn();
    },
    end: async () => {
      for (const socket of sockets) unbind(socket);
      dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((list) => list?.some((one) => one.address === '::1'));
}
