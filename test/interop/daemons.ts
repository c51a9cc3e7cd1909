/** The two VRRP daemons under one handle, for tests that set one against the other on hosts of the test lab. */
import { fileURLToPath } from 'node:url';
import type { Program, TestHost } from '../namespaces/lab.ts';

export type Kind = 'evergate' | 'keepalived';

const evergate = fileURLToPath(new URL('../../bin/evergate', import.meta.url));

/** Starts the daemon in the foreground, logging everything to its standard error. */
export function startDaemon(kind: Kind, host: TestHost, file: string): Program {
  const words = ['-f', file, '-l', '-D', '-n'];
  if (kind === 'evergate') return host.start([evergate, 'vrrp', ...words]);
  // After a crash its pid files are still there, and name a zombie that nobody reaps in the host's small world.
  host.run('rm -f /run/keepalived.pid /run/vrrp.pid');
  return host.start(['keepalived', ...words, '-p', '/run/keepalived.pid', '-r', '/run/vrrp.pid']);
}

/** Kills the daemon with everything it started, as a crash would: frozen first, lest a child says goodbye when it loses its parent. */
export function crash(daemon: Program): void {
  daemon.signal('SIGSTOP');
  daemon.signal('SIGKILL');
}

/** Ends it in an orderly way. Keepalived's parent ends its child; a signal to both would be one too many. */
export function stop(daemon: Program): Promise<number | null> {
  daemon.signalFirst('SIGTERM');
  return daemon.ended;
}

/** A process by the name that the seed's script asks for. */
export function fakeHaproxy(host: TestHost): Program {
  host.run('cp /bin/sleep /run/haproxy');
  return host.start(['/run/haproxy', '600']);
}
