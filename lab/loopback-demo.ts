/**
 * The demo where no namespaces can be had (macOS, no root and no user namespaces): the same balancing and the death of a web server,
 * on loopback ports. The virtual address is a matter of Linux, and this says so.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { HostedService } from '../src/lab/hosted-service.ts';
import { defaultLoad, Load, monotonicMs } from '../src/lab/prober/load.ts';
import { type ProbeRecord, type Stall, summarise } from '../src/lab/prober/outage.ts';
import type { Terminal } from '../src/lab/terminal.ts';

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

/** Runs the demo and returns its exit status. */
export async function loopbackDemo(terminal: Terminal, reason: string): Promise<number> {
  terminal.line(terminal.style('yellow', `No network namespaces here: ${reason}.`));
  terminal.line(
    'The virtual address and the failover need Linux with namespaces; balancing is shown on loopback addresses.',
  );
  const children: ChildProcess[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'evergate-demo-'));
  try {
    const [front = 0, ...ports] = await freePorts(4);
    // The example's own file, with ports of this machine in place of the boards' addresses.
    let text = readFileSync(path('../examples/haproxy.cfg'), 'utf8').replace('0.0.0.0:80', `127.0.0.1:${front}`);
    for (const [i, address] of ['10.42.0.135:80', '10.42.0.175:80', '10.42.0.152:80'].entries())
      text = text.replace(`server${i + 1} ${address}`, `server${i + 1} 127.0.0.1:${ports[i]}`);
    const file = join(folder, 'haproxy.cfg');
    writeFileSync(file, text);
    const server = async (i: number) => {
      const services: HostedService[] = [{ kind: 'web', title: `server${i + 1}`, host: '127.0.0.1', port: ports[i]! }];
      const argv = [path('../src/lab/web-server.ts'), JSON.stringify(services)];
      const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'inherit'] });
      children.push(child);
      await once(child.stdout, 'data');
      return child;
    };
    const web = [await server(0), await server(1), await server(2)];
    const balancer = spawn(path('../bin/evergate'), ['balance', '-f', file], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    children.push(balancer);
    await accepting(front);
    return await show(terminal, front, web);
  } catch (error) {
    terminal.line(terminal.style('red', `The demo failed: ${error instanceof Error ? error.message : String(error)}`));
    return 1;
  } finally {
    for (const child of children) child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  }
}

async function show(terminal: Terminal, port: number, web: readonly ChildProcess[]): Promise<number> {
  terminal.line();
  terminal.line(terminal.style('bold', 'Requests, one server after the other'));
  for (let i = 0; i < 6; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await response.text();
    terminal.line(
      `  GET http://127.0.0.1:${port}/  →  ${terminal.style('cyan', response.headers.get('x-served-by') ?? '?')}`,
    );
  }
  terminal.line();
  terminal.line(terminal.style('bold', 'Steady load, then kill -9 of server2'));
  const records: ProbeRecord[] = [];
  const stalls: Stall[] = [];
  const load = new Load(
    { ...defaultLoad, host: '127.0.0.1', port },
    { record: (record) => records.push(record), stall: (stall) => stalls.push(stall), keptClosed: () => {} },
  );
  load.start();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const killed = monotonicMs();
  web[1]?.kill('SIGKILL');
  await new Promise((resolve) => setTimeout(resolve, 7000));
  await load.stop();
  const seen = summarise(
    records.filter((record) => record.started >= killed),
    stalls,
  );
  terminal.table(
    ['fault', 'outage', 'failed', 'of'],
    [['one web server killed', `${Math.round(seen.outageMs)} ms`, String(seen.failed), String(seen.requests)]],
  );
  return seen.failed === 0 ? 0 : 1;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function accepting(port: number): Promise<void> {
  for (const deadline = monotonicMs() + 10_000; monotonicMs() < deadline; ) {
    const socket = connect(port, '127.0.0.1');
    const answer = await Promise.race([
      once(socket, 'connect').then(() => true),
      once(socket, 'error').then(() => false),
    ]).catch(() => false);
    socket.destroy();
    if (answer) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('the balancer did not accept connections within 10 s');
}
