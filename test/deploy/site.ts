/**
 * A network of our own for machines or containers: one switch in a network namespace, which is also where clients and administrators
 * stand. The way out is a proxy for HTTP only, through a socket file: the machine's own routing and firewall stay as they are.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { createServer, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { undoAtExit } from './leftovers.ts';

const execute = promisify(execFile);

export interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

const proxyPort = 3142;

export class Site {
  /** For everything this site needs on disk; removed at the end. */
  readonly folder = mkdtempSync(join(tmpdir(), 'evergate-site-'));
  /** Where the switch itself is: the machines' way out, and where clients come from. */
  readonly address: string;
  readonly #holder: ChildProcess;
  readonly #proxy: Server;
  readonly #remove: () => void;
  #door: ChildProcess | undefined;

  private constructor(address: string, holder: ChildProcess, proxy: Server) {
    this.address = address;
    this.#holder = holder;
    this.#proxy = proxy;
    const namespace = networkOf(holder.pid!);
    this.#remove = undoAtExit(() => {
      for (const pid of inNetwork(namespace)) kill(pid);
      rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    });
  }

  static async open(address: string): Promise<Site> {
    const holder = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'cat'], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    await once(holder, 'spawn');
    await namespaceOf(holder.pid!);
    const site = new Site(address, holder, forwardProxy());
    await site.#furnish();
    return site;
  }

  /** For programs that fetch something: the way out. */
  get proxyUrl(): string {
    return `http://${this.address}:${proxyPort}`;
  }

  /** The words before a command that make it run on the switch. */
  get inside(): readonly string[] {
    return ['nsenter', `--net=/proc/${this.#holder.pid}/ns/net`, '--'];
  }

  /** Runs a program on the switch and waits for its end, whatever its status. */
  async run(
    argv: readonly string[],
    options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
  ): Promise<Ran> {
    return await runProgram([...this.inside, ...argv], options);
  }

  /** As `run`, but throws when the status is not 0. */
  async must(
    argv: readonly string[],
    options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
  ): Promise<string> {
    return must(await this.run(argv, options), argv);
  }

  spawn(argv: readonly string[], stdio: 'ignore' | 'pipe' = 'pipe'): ChildProcess {
    return spawn('setpriv', ['--pdeathsig', 'KILL', ...this.inside, ...argv], { stdio: ['ignore', stdio, stdio] });
  }

  /** Whatever still stands in our network ends: connections that ssh keeps for later, daemons that were left. */
  async close(): Promise<void> {
    const gone = once(this.#holder, 'exit');
    this.#remove();
    await gone;
    this.#proxy.closeAllConnections();
    this.#proxy.close();
  }

  async #furnish(): Promise<void> {
    const path = join(this.folder, 'proxy');
    this.#proxy.listen(path);
    for (const line of [
      'ip link set lo up',
      // Snooping would keep multicast from ports that have joined nothing yet, as no plain switch does.
      'ip link add br0 type bridge stp_state 0 mcast_snooping 0',
      `ip addr add ${this.address}/24 dev br0`,
      'ip link set br0 up',
    ])
      await this.must(line.split(' '));
    this.#door = this.spawn([
      process.execPath,
      fileURLToPath(new URL('door.ts', import.meta.url)),
      `${proxyPort}`,
      path,
    ]);
    await once(this.#door.stdout!, 'data');
  }
}

export async function runProgram(
  argv: readonly string[],
  options: { readonly env?: NodeJS.ProcessEnv; readonly cwd?: string } = {},
): Promise<Ran> {
  const [program, ...rest] = argv;
  try {
    const { stdout, stderr } = await execute(program!, rest, { maxBuffer: 2 ** 26, encoding: 'utf8', ...options });
    return { status: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: number | string; stdout?: string; stderr?: string };
    return {
      status: typeof code === 'number' ? code : 127,
      stdout,
      stderr: `${stderr}${typeof code === 'string' ? code : ''}`,
    };
  }
}

export function must({ status, stdout, stderr }: Ran, argv: readonly string[]): string {
  if (status === 0) return stdout;
  throw new Error(`${argv.join(' ')}: status ${status}\n${stdout.slice(-3000)}\n${stderr.slice(-3000)}`);
}

/** `unshare` needs a moment: until then the process is still in our namespace. */
async function namespaceOf(pid: number): Promise<void> {
  while (networkOf(pid) === networkOf('self')) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Which network namespace a process is in, by the kernel's number; empty when it has ended. */
function networkOf(pid: number | string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return '';
  }
}

/** Kills a process, if it has not ended meanwhile. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function inNetwork(namespace: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && networkOf(pid) === namespace);
}

/** Plain requests (apt) and CONNECT (npm), to wherever this machine itself can reach. */
function forwardProxy(): Server {
  const server = createServer((incoming, outgoing) => {
    const { method, headers } = incoming;
    const onward = request(incoming.url ?? '', { method: method ?? 'GET', headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.on('connect', (incoming, client, head) => {
    const [host, port] = (incoming.url ?? '').split(':');
    const onward = connect(Number(port), host, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(client);
      client.pipe(onward);
    });
    onward.on('error', () => client.destroy());
    client.on('error', () => onward.destroy());
  });
  return server;
}
