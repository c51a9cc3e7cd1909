/**
 * Listening sockets of another process, taken over while it runs: `-sf` then replaces a balancer without losing a connection, those
 * that wait in the backlog included, because it is the same socket before and after. The other process needs to know nothing of it (it
 * may be HAProxy): pidfd_getfd(2), Linux 5.6, duplicates its descriptors for whoever may trace it (root; the same user where Yama allows).
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { formatSocketAddress, type SocketAddress } from '../core/address.ts';
import type { ListenerSocket } from '../engine/ports/streams.ts';
import { errno, errorName, type Libc, libc, linux } from './libc.ts';
import { adoptListener, type BindOptions, tuneListener } from './listener.ts';

/** asm-generic: the same on x86-64 and arm64. */
const systemCall = { pidfdOpen: 434, pidfdGetfd: 438 } as const;

/** The sockets that could be had; `use` hands out the one that listens where `options` says, `close` lets go of the rest. */
export interface TakenListeners {
  use(options: BindOptions): ListenerSocket | undefined;
  close(): void;
}

/** @param failed told, in a sentence, why a process's sockets can't be had. */
export function takeOver(pids: readonly number[], failed: (reason: string) => void): TakenListeners {
  const c = libc();
  const taken = c === undefined ? [] : pids.flatMap((pid) => listenersOf(c, pid, failed));
  return {
    use: (options) => {
      const index = taken.findIndex((one) => matches(c!, one, options));
      if (index < 0) return undefined;
      const [socket] = taken.splice(index, 1);
      tuneListener(socket!, options);
      return socket;
    },
    close: () => {
      for (const { fd } of taken.splice(0)) c!.close(fd);
    },
  };
}

function listenersOf(c: Libc, pid: number, failed: (reason: string) => void): ListenerSocket[] {
  const process = c.syscall(systemCall.pidfdOpen, pid, 0, 0, 0, 0, 0);
  if (process < 0) return []; // It has ended: nothing is left to take.
  const sockets: ListenerSocket[] = [];
  const seen = new Set<string>();
  try {
    const folder = `/proc/${pid}/fd`;
    for (const name of readdirSync(folder)) {
      const target = linkOf(`${folder}/${name}`);
      // Threads hold duplicates of one socket.
      if (!target.startsWith('socket:') || seen.has(target)) continue;
      seen.add(target);
      const fd = c.syscall(systemCall.pidfdGetfd, process, Number(name), 0, 0, 0, 0);
      if (fd < 0) {
        const error = errorName(errno());
        if (error === 'EBADF') continue; // Closed meanwhile.
        failed(`the listening sockets of process ${pid} cannot be taken over (${error})`);
        break;
      }
      const socket = adoptListener(fd)?.socket;
      // The file of a unix socket goes with its process: that one is bound anew, in its place. Linux's abstract names have none.
      if (socket === undefined || (socket.address.family === 'unix' && !socket.address.path.startsWith('\0')))
        c.close(fd);
      else sockets.push(socket);
    }
  } catch (error) {
    failed(`the listening sockets of process ${pid} cannot be taken over (${(error as NodeJS.ErrnoException).code})`);
  } finally {
    c.close(process);
  }
  return sockets;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // Closed meanwhile.
  }
}

/** What can't be changed once a socket is bound must be as it is wanted. */
function matches(c: Libc, { fd, address }: ListenerSocket, wanted: BindOptions): boolean {
  const { address: to } = wanted;
  if (!sameAddress(address, to)) return false;
  const option = (level: number, name: number) => {
    const value = new Uint8Array(4);
    return c.getsockopt(fd, level, name, value, new Uint8Array(new Uint32Array([4]).buffer)) === 0 ? value[0]! : 0;
  };
  if (to.family === 'ipv6' && (option(linux.IPPROTO_IPV6, linux.IPV6_V6ONLY) !== 0) !== wanted.v6only) return false;
  return deviceOf(c, fd) === (wanted.interface ?? '');
}

function sameAddress(one: SocketAddress, other: SocketAddress): boolean {
  if (one.family === 'unix' || other.family === 'unix') return formatSocketAddress(one) === formatSocketAddress(other);
  return one.family === other.family && one.host === other.host && one.port === other.port;
}

function deviceOf(c: Libc, fd: number): string {
  const name = new Uint8Array(16);
  const length = new Uint32Array([name.length]);
  if (c.getsockopt(fd, linux.SOL_SOCKET, linux.SO_BINDTODEVICE, name, new Uint8Array(length.buffer)) < 0) return '';
  return new TextDecoder().decode(name.subarray(0, length[0]!)).replace(/\0.*$/s, '');
}
