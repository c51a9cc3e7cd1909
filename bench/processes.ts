/** Processes of a measurement: where they run, what they have used, and that none is left behind. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

/** /proc counts processor time in these, on every Linux that Node runs on. */
const ticksPerSecond = 100;
const reachableMs = 30_000;

export const searchPath = `${process.env['PATH']}:/usr/sbin:/sbin`;

/** Processors of the proxy, and of everything else: apart, so that neither takes the other's time. */
export function processors(threads: number): { readonly proxy: string; readonly others: string } | undefined {
  const count = availableParallelism();
  if (count < threads * 2) return undefined;
  return { proxy: list(0, threads), others: list(threads, count) };
}

function list(from: number, to: number): string {
  return Array.from({ length: to - from }, (_, i) => from + i).join(',');
}

export function installed(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`], { env: { PATH: searchPath } }).status === 0;
}

/** The children of one run; `end` ends all of them. */
export class Children {
  readonly #all = new Set<ChildProcess>();

  /** @param on processors, as for taskset(1). */
  start(on: string, command: string, args: readonly string[], environment: Readonly<Record<string, string>> = {}) {
    // taskset becomes the program: the process id stays.
    const child = spawn('taskset', ['-c', on, command, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...environment, PATH: searchPath },
    });
    this.#all.add(child);
    child.once('exit', () => this.#all.delete(child));
    return child;
  }

  async end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGTERM');
    const patience = setTimeout(() => child.kill('SIGKILL'), 2000);
    await gone;
    clearTimeout(patience);
  }

  async endAll(): Promise<void> {
    await Promise.all([...this.#all].map((child) => this.end(child)));
  }

  killAll(): void {
    for (const child of this.#all) child.kill('SIGKILL');
  }
}

/** Runs a program to its end and returns what it wrote. */
export async function output(
  children: Children,
  on: string,
  command: string,
  args: readonly string[],
): Promise<string> {
  const child = children.start(on, command, args);
  child.stdin.end();
  let text = '';
  child.stdout.on('data', (piece) => {
    text += piece;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`${command} ended with status ${code}: ${text}`);
  return text;
}

/** Microseconds of processor time that the process with all its threads and children has used until now. */
export function processorTime(pid: number): { readonly total: number; readonly user: number } {
  let user = 0;
  let system = 0;
  for (const one of family(pid)) {
    const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ').at(-1)!.split(' ');
    user += Number(fields[11]);
    system += Number(fields[12]);
  }
  const microseconds = 1e6 / ticksPerSecond;
  return { total: (user + system) * microseconds, user: user * microseconds };
}

/** Proportional set size in MiB: memory of its own, and its part of what it shares. */
export function memory(pid: number): number {
  let kibibytes = 0;
  for (const one of family(pid))
    kibibytes += Number(/^Pss:\s*(\d+)/m.exec(readFileSync(`/proc/${one}/smaps_rollup`, 'utf8'))?.[1]);
  return kibibytes / 1024;
}

function family(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  );
  return [pid, ...children.flatMap(family)];
}

/** Waits until somebody answers on a port of the loopback. */
export async function reachable(port: number): Promise<void> {
  for (const end = performance.now() + reachableMs; performance.now() < end; await sleep(20)) {
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
    });
    socket.destroy();
    if (open) return;
  }
  throw new Error(`nobody listens on port ${port}`);
}

/** Waits until a proxy answers a request well: its socket is there before those who serve it. */
export async function serves(port: number, path: string): Promise<void> {
  let last = '';
  for (const end = performance.now() + reachableMs; performance.now() < end; await sleep(20)) {
    const status = await statusOf(port, path);
    if (status === '200') return;
    last = status;
  }
  throw new Error(`what listens on port ${port} gives no good answer: ${last}`);
}

function statusOf(port: number, path: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const done = (status: string) => {
      socket.destroy();
      resolve(status);
    };
    socket.setTimeout(2000, () => done('silence'));
    socket.once('error', (error: NodeJS.ErrnoException) => done(error.code ?? error.message));
    socket.once('end', () => done('an end without a word'));
    socket.once('data', (bytes) => done(bytes.toString('latin1').split(' ')[1] ?? ''));
    socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n`);
  });
}
