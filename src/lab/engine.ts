/** What runs on the balancers: Evergate, or the installed originals, behind one interface. */
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { launcher } from '../core/limits.ts';
import type { Host } from './network.ts';

export type EngineName = 'evergate' | 'haproxy+keepalived';
export const engineNames: readonly EngineName[] = ['evergate', 'haproxy+keepalived'];

export type Half = 'balancer' | 'vrrp';

export interface NodeConfiguration {
  readonly haproxy: readonly string[];
  readonly keepalived: string;
}

/** Told of each line that a program of the node prints, and of its end. */
export type Heard = (line: string) => void;

export interface Engine {
  readonly name: EngineName;
  /** What somebody who drills reads at the head of the report. */
  readonly version: string;
  /** The command line of each half's processes, for signals; `all` also has what supervises them. */
  readonly commandLines: Readonly<Record<Half | 'all', RegExp>>;
  /** Starts both halves, or only what is not running. `listen` gets every process that was started. */
  start(host: Host, files: NodeConfiguration, listen: (child: ChildProcess) => void): void;
  /** The VRRP half alone. */
  startVrrp(host: Host, file: string): ChildProcess;
  /** Asks for an orderly stop of the whole node's service. */
  stop(host: Host): void;
  reload(host: Host): void;
  /** True where the VRRP half learns from the balancer itself whether it serves; otherwise only what the files track counts. */
  readonly readinessIsTold: boolean;
  /** Something starts a half again when it dies. */
  readonly restarts: boolean;
  /** Takes over at once on priority 0, and puts back a deleted address (see EngineTraits). */
  readonly actsAtOnce: boolean;
}

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

export const evergate: Engine = {
  name: 'evergate',
  version: 'Evergate',
  commandLines: {
    balancer: /^evergate-balance|main\.[jt]s balance /,
    vrrp: /^evergate-vrrp|main\.[jt]s vrrp /,
    all: /^evergate-|main\.[jt]s (run|balance|vrrp) /,
  },
  start(host, files, listen) {
    if (host.processes(/^evergate-run|main\.[jt]s run /).length > 0) return;
    const words = [...files.haproxy.flatMap((file) => ['-f', file]), '-k', files.keepalived];
    const env = { ...process.env, EVERGATE_NODE: process.execPath };
    listen(host.run([path('../../bin/evergate'), 'run', ...words], { stdio: ['ignore', 'pipe', 'pipe'], env }));
  },
  startVrrp(host, file) {
    const env = { ...process.env, EVERGATE_NODE: process.execPath };
    return host.run([path('../../bin/evergate'), 'vrrp', '-n', '-l', '-f', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
  },
  stop: (host) => host.signal(/^evergate-run|main\.[jt]s run /, 'SIGTERM'),
  reload: (host) => host.signal(/^evergate-run|main\.[jt]s run /, 'SIGHUP'),
  readinessIsTold: true,
  restarts: true,
  actsAtOnce: true,
};

export const originals: Engine = {
  name: 'haproxy+keepalived',
  version: 'HAProxy + Keepalived',
  commandLines: {
    balancer: /^(\S*\/)?haproxy /,
    vrrp: /^(\S*\/)?keepalived /,
    all: /^(\S*\/)?(haproxy|keepalived) /,
  },
  start(host, files, listen) {
    const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
    const start = (argv: readonly string[]) => listen(host.run(argv, { stdio: ['ignore', 'pipe', 'pipe'], env }));
    if (host.processes(this.commandLines.balancer).length === 0)
      start(['haproxy', '-W', '-db', ...files.haproxy.flatMap((file) => ['-f', file])]);
    if (host.processes(this.commandLines.vrrp).length > 0) return;
    listen(this.startVrrp(host, files.keepalived));
  },
  startVrrp(host, file) {
    // After a crash the pid files still name the one before.
    const clean = 'rm -f /run/keepalived.pid /run/vrrp.pid; exec keepalived "$@"';
    const words = ['-f', file, '-n', '-l', '-D', '-P', '-p', '/run/keepalived.pid', '-r', '/run/vrrp.pid'];
    const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` };
    return host.run(['sh', '-c', clean, 'sh', ...words], { stdio: ['ignore', 'pipe', 'pipe'], env });
  },
  stop(host) {
    // As systemd stops the units of a node that goes down: Keepalived hands over first, then the balancer ends. Keepalived's parent ends its child.
    const [parent] = host.processes(this.commandLines.vrrp);
    if (parent !== undefined) process.kill(parent, 'SIGTERM');
    const [master] = host.processes(this.commandLines.balancer);
    if (master === undefined) return;
    process.kill(master, 'SIGUSR1');
    // A soft stop waits for every kept connection; whoever stops a node loses patience, as Evergate's launcher does.
    const patience = setTimeout(() => {
      if (host.processes(this.commandLines.balancer).includes(master)) process.kill(master, 'SIGTERM');
    }, launcher.drainMsMax);
    patience.unref();
  },
  reload(host) {
    const [master] = host.processes(this.commandLines.balancer);
    if (master !== undefined) process.kill(master, 'SIGUSR2');
    const [parent] = host.processes(this.commandLines.vrrp);
    if (parent !== undefined) process.kill(parent, 'SIGHUP');
  },
  readinessIsTold: false,
  restarts: false,
  actsAtOnce: false,
};

export function engineNamed(name: EngineName): Engine {
  return name === 'evergate' ? evergate : originals;
}
