/** What the tests of the command line share: a configuration in a folder of its own, web servers on loopback, and clients that miss nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export const program = new URL('../../bin/evergate', import.meta.url).pathname;

/** A folder that is gone after the test. */
export function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-commands-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function write(folder: string, name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

export interface WebServer {
  readonly port: number;
  readonly server: Server;
}

/** Answers every request with `body`; `/slow` after 300 ms, `/hang` never. */
export async function webServer(t: TestContext, body: string, host = '127.0.0.1', port = 0): Promise<WebServer> {
  const server = createServer((request, response) => {
    if (request.url === '/hang') return;
    const answer = () => response.end(body);
    if (request.url === '/slow') setTimeout(answer, 300);
    else answer();
  }).listen(port, host);
  server.keepAliveTimeout = 60_000;
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, server };
}

/** `defaults` with short, plain words, for tests. */
export const defaults = `
defaults
  mode http
  timeout connect 2s
  timeout client 20s
  timeout server 20s
`;

// ---------------------------------------------------------------- the program as a process

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Everything it wrote so far, both outputs. */
  readonly output: () => string;
  /** Resolves once the output matches, from `from` characters on. */
  said(pattern: RegExp, from?: number): Promise<void>;
  /** Resolves with its exit status, or the signal that ended it. */
  ended(): Promise<number | string>;
}

/** Starts a command; what is still running after the test is killed. */
export function start(t: TestContext, command: string, argv: readonly string[], environment = {}): Started {
  const child = spawn(command, argv, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...environment },
  });
  let text = '';
  const waiting = new Set<() => void>();
  const heard = (chunk: string) => {
    text += chunk;
    for (const look of [...waiting]) look();
  };
  child.stdout.setEncoding('utf8').on('data', heard);
  child.stderr.setEncoding('utf8').on('data', heard);
  const exited = once(child, 'close').then(([code, signal]) => {
    for (const look of [...waiting]) look();
    return (code ?? signal) as number | string;
  });
  t.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
    await exited;
  });
  return {
    child,
    pid: child.pid!,
    output: () => text,
    said: (pattern, from = 0) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (pattern.test(text.slice(from))) resolve();
          else if (child.exitCode !== null || child.signalCode !== null)
            reject(new Error(`ended without saying ${pattern}:\n${text}`));
          else return;
          waiting.delete(look);
        };
        waiting.add(look);
        look();
      }),
    ended: () => exited,
  };
}

// ---------------------------------------------------------------- clients

/** One connection of a client; requests one after the other. */
export class Client {
  readonly socket: Socket;
  #received = '';
  #ended: string | undefined;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => {
      this.#received += chunk;
      this.#wake();
    });
    socket.on('end', () => this.#end('closed'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#end(error.code ?? error.message));
    socket.on('close', () => this.#end('closed'));
  }

  static async connect(to: { port: number; host?: string } | { path: string }): Promise<Client> {
    const socket = connect(to);
    await once(socket, 'connect');
    return new Client(socket);
  }

  #end(how: string): void {
    this.#ended ??= how;
    this.#wake();
  }

  send(path: string, headers = ''): void {
    this.socket.write(`GET ${path} HTTP/1.1\r\nHost: test\r\n${headers}\r\n`);
  }

  /** Waits for one response with a length. Rejects when the connection ends first. */
  async response(): Promise<{ status: number; head: string; body: string }> {
    for (;;) {
      const headEnd = this.#received.indexOf('\r\n\r\n');
      if (headEnd >= 0) {
        const head = this.#received.slice(0, headEnd);
        const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
        const end = headEnd + 4 + length;
        if (this.#received.length >= end) {
          const body = this.#received.slice(headEnd + 4, end);
          this.#received = this.#received.slice(end);
          return { status: Number(head.slice(9, 12)), head, body };
        }
      }
      if (this.#ended !== undefined) throw new Error(`no response: ${this.#ended}`);
      await this.#news();
    }
  }

  async get(path: string, headers = ''): Promise<{ status: number; head: string; body: string }> {
    this.send(path, headers);
    return await this.response();
  }

  /** How the connection ended: `closed`, or the error's name. */
  async gone(): Promise<string> {
    while (this.#ended === undefined) await this.#news();
    return this.#ended;
  }

  #news(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  close(): void {
    this.socket.destroy();
  }
}

/** One request on a connection of its own. */
export async function getOnce(port: number, path = '/'): Promise<{ status: number; body: string }> {
  const client = await Client.connect({ port });
  try {
    return await client.get(path, 'Connection: close\r\n');
  } finally {
    client.close();
  }
}

/** Clients that never stop asking, until told: some with a connection for each request, some that keep theirs. */
export class Load {
  /** Whatever was not a response with status 200, in words. */
  readonly failures: string[] = [];
  readonly answers = new Map<string, number>();
  #going = true;
  readonly #loops: readonly Promise<void>[];

  constructor(to: { port: number } | { path: string }, clients: { fresh: number; kept: number }) {
    this.#loops = [
      ...Array.from({ length: clients.fresh }, () => this.#loop(to, false)),
      ...Array.from({ length: clients.kept }, () => this.#loop(to, true)),
    ];
  }

  get count(): number {
    return [...this.answers.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Resolves once that many more answers have come. */
  async more(count: number): Promise<void> {
    const wanted = this.count + count;
    while (this.count < wanted && this.failures.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  async stop(): Promise<void> {
    this.#going = false;
    await Promise.all(this.#loops);
  }

  /** A kept connection is closed by whoever was told `Connection: close`, as RFC 9112 §9.6 wants. */
  async #loop(to: { port: number } | { path: string }, keeps: boolean): Promise<void> {
    let client: Client | undefined;
    while (this.#going) {
      try {
        client ??= await Client.connect(to);
        const { status, body, head } = await client.get('/', keeps ? '' : 'Connection: close\r\n');
        if (status === 200) this.answers.set(body, (this.answers.get(body) ?? 0) + 1);
        else this.failures.push(`status ${status}`);
        if (keeps && !/^connection: close/im.test(head)) continue;
      } catch (error) {
        this.failures.push(`${keeps ? 'kept' : 'fresh'}: ${(error as Error).message}`);
      }
      client?.close();
      client = undefined;
    }
    client?.close();
  }
}
