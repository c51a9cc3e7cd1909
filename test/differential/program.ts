/** Starting and ending the program under test. Processes are ended by their own id, always. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export interface Program {
  readonly name: string;
  /** The configuration file's path comes last. */
  readonly command: readonly string[];
}

export const haproxy: Program = { name: 'haproxy', command: ['haproxy', '-db', '-f'] };
export type Io = 'net' | 'uring';

/** Evergate on one of its Streams adapters. */
export function evergate(io: Io): Program {
  const command = fileURLToPath(new URL('../../bin/evergate', import.meta.url));
  return { name: 'evergate', command: [command, 'balance', `--io=${io}`, '-f'] };
}

/** Where a program listens, as `connect` of node:net takes it. */
export type Place = { readonly port: number; readonly host: string } | { readonly path: string };

export class RunningProgram {
  readonly #child: ChildProcess;
  output = '';
  #exited = false;

  constructor(program: Program, configPath: string) {
    const [command, ...args] = program.command;
    this.#child = spawn(command ?? '', [...args, configPath], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk) => {
        this.output += chunk;
      });
    this.#child.on('error', (error) => {
      this.output += String(error);
      this.#exited = true;
    });
    this.#child.on('exit', () => {
      this.#exited = true;
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get exited(): boolean {
    return this.#exited;
  }

  /** Waits until every port or unix socket is listened on. The kernel is asked: a test connection would be seen and logged. */
  async listening(places: readonly Place[], ms: number): Promise<boolean> {
    const end = performance.now() + ms;
    while (!this.#exited && performance.now() < end) {
      const open = await listeningPorts();
      if (places.every((place) => ('path' in place ? existsSync(place.path) : open.has(place.port)))) return true;
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    return false;
  }

  async stop(): Promise<void> {
    if (this.#exited) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const stubborn = setTimeout(() => this.#child.kill('SIGKILL'), 3000);
    await gone;
    clearTimeout(stubborn);
  }
}

let asked: Promise<ReadonlySet<number>> | undefined;

/**
 * Local ports in state LISTEN (proc(5), /proc/net/tcp and tcp6: state 0A). One look serves all who wait: on a machine with many
 * connections the tables are long, and this process must answer as a server meanwhile.
 */
function listeningPorts(): Promise<ReadonlySet<number>> {
  asked ??= readListening().finally(() => {
    asked = undefined;
  });
  return asked;
}

async function readListening(): Promise<ReadonlySet<number>> {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'].filter((table) => existsSync(table));
  const texts = await Promise.all(tables.map((table) => readFile(table, 'latin1')));
  return new Set(
    [...texts.join('\n').matchAll(/^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A /gm)].map((match) =>
      Number.parseInt(match[1]!, 16),
    ),
  );
}
