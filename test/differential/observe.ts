/** Runs one scenario against one program and tells what could be seen from outside, as lines of text. */
import { createSocket } from 'node:dgram';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '../ports.ts';
import { messageLines, shown } from './http-text.ts';
import { Peer, type World, waitFor } from './peer.ts';
import { type Place, type Program, RunningProgram } from './program.ts';
import type { Client, Scenario } from './scenario.ts';
import { ScriptedServer } from './servers.ts';

/** How long a connection must stay open after its script to be called kept. */
const settleMs = 200;
/** The log is complete when this long no line came. */
const logQuietMs = 100;

export interface Observation {
  readonly lines: readonly string[];
  /** What the program printed; for people, not compared. */
  readonly output: string;
}

/** @param together resolves when all programs that are to be compared have started, so that none plays its script while others start. */
export async function observe(
  scenario: Scenario,
  program: Program,
  together: () => Promise<void> = async () => {},
): Promise<Observation> {
  const stage = new Stage(scenario);
  try {
    return await stage.play(program, together);
  } finally {
    stage.close();
  }
}

class Stage {
  readonly #scenario: Scenario;
  readonly #changed = new EventEmitter().setMaxListeners(0);
  readonly #folder = mkdtempSync(join(tmpdir(), 'evergate-differential-'));
  readonly #log = createSocket('udp4');
  readonly #logLines: string[] = [];
  readonly #servers = new Map<string, ScriptedServer>();
  /** What each port is called in the observation. */
  readonly #portNames = new Map<number, string>();
  readonly #world: World = {
    wait: (reached, ms) => waitFor(this.#changed, reached, ms),
    requestsSeen: (server) => this.#servers.get(server)?.requestCount ?? 0,
    logged: (text) => this.#logLines.some((line) => line.includes(text)),
  };

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.#log.on('message', (message) => {
      this.#logLines.push(message.toString('latin1'));
      this.#changed.emit('change');
    });
  }

  close(): void {
    for (const server of this.#servers.values()) server.close();
    this.#log.close();
    rmSync(this.#folder, { recursive: true });
  }

  async play(program: Program, together: () => Promise<void>): Promise<Observation> {
    const { configPath, binds } = await this.#prepare();
    const running = new RunningProgram(program, configPath);
    try {
      const listens = await running.listening([...binds.values()], 15_000);
      await together();
      if (!listens) return { lines: [`${running.exited ? 'exited' : 'does not listen'}`], output: running.output };
      const lines: string[] = [];
      for (const entry of this.#scenario.clients) {
        const group = Array.isArray(entry) ? (entry as readonly Client[]) : [entry as Client];
        const first = lines.filter((line) => /^client \d+:/.test(line)).length;
        const logged = this.#logLines.length;
        const seen = await Promise.all(
          group.map((client, index) => this.#runClient(client, first + index + 1, binds.get(client.to))),
        );
        lines.push(...seen.flat());
        // A session's line counts those open beside it: one that still ends, on another thread, must not meet the next client.
        await this.#world.wait(() => this.#logLines.length >= logged + group.length, settleMs);
      }
      await this.#logComplete();
      lines.push(...this.#serverLines(), ...this.#loggedLines(running.pid));
      return { lines, output: running.output };
    } finally {
      await running.stop();
    }
  }

  async #prepare() {
    this.#log.bind(0, '127.0.0.1');
    await once(this.#log, 'listening');
    const { config, files = {}, servers = {} } = this.#scenario;
    const places = new Map<string, string>([['log', `127.0.0.1:${this.#log.address().port}`]]);
    for (const [name, script] of Object.entries(servers)) {
      const server = new ScriptedServer(script, this.#changed, this.#world);
      this.#servers.set(name, server);
      const port = await server.listen();
      places.set(`server:${name}`, `127.0.0.1:${port}`);
      this.#portNames.set(port, `server ${name}`);
    }
    for (const [name, content] of Object.entries(files)) {
      places.set(`file:${name}`, join(this.#folder, name));
      writeFileSync(join(this.#folder, name), Buffer.from(content, 'latin1'));
    }
    const names = [...new Set([...config.matchAll(/\{((?:bind|bind6|refused):\w+)\}/g)].map((match) => match[1]!))];
    const free = await freePorts(names.length);
    const binds = new Map<string, Place>();
    for (const [index, placeholder] of names.entries()) {
      const port = free[index]!;
      const [kind = '', name = ''] = placeholder.split(':');
      const host = kind === 'bind6' ? '::1' : '127.0.0.1';
      places.set(placeholder, `${host}:${port}`);
      this.#portNames.set(port, `${kind} ${name}`);
      if (kind !== 'refused') binds.set(name, { port, host });
    }
    for (const [placeholder, name] of config.matchAll(/\{unix:(\w+)\}/g)) {
      const path = join(this.#folder, `${name}.sock`);
      places.set(placeholder.slice(1, -1), `unix@${path}`);
      binds.set(name!, { path });
    }
    const text = config.replace(/\{([\w:]+)\}/g, (whole, name) => places.get(name) ?? whole);
    const configPath = join(this.#folder, 'haproxy.cfg');
    writeFileSync(configPath, text);
    return { configPath, binds };
  }

  async #runClient(client: Client, number: number, place: Place | undefined): Promise<string[]> {
    if (place === undefined) throw new Error(`no {bind:${client.to}} in the configuration`);
    const socket = connect({ ...place, allowHalfOpen: true, noDelay: true });
    const peer = new Peer(socket, this.#changed);
    await this.#world.wait(() => !socket.connecting, 5000);
    if (socket.localPort !== undefined) this.#portNames.set(socket.localPort, `client ${number}`);
    const missed = await peer.run(client.steps, this.#world);
    await this.#world.wait(() => peer.fate !== 'open', settleMs);
    const lines = [`client ${number}: ${peer.fate}`];
    if (missed !== undefined) lines.push(missed);
    if (client.raw === true) lines.push(`received ${shown(peer.received)}`);
    else {
      const { responses, rest } = peer.responses;
      lines.push(...responses.flatMap(messageLines));
      if (rest !== '') lines.push(`then ${shown(rest)}`);
    }
    socket.destroy();
    return lines.map((line, index) => (index === 0 ? this.#named(line) : this.#named(`client ${number}  ${line}`)));
  }

  #serverLines(): string[] {
    const lines: string[] = [];
    for (const [name, server] of this.#servers) {
      const seen = this.#scenario.servers?.[name]?.kind === 'tcp' ? tcpLines(server) : this.#requestLines(server);
      const checks = new Set(
        server.connections.flatMap(({ checks }) => checks.map((check) => messageLines(check).join(' | '))),
      );
      for (const check of checks) seen.push(`check ${check}`);
      lines.push(...seen.map((line) => this.#named(`server ${name} ${line}`)));
    }
    return lines;
  }

  #requestLines(server: ScriptedServer): string[] {
    const used = [...new Set(server.requests.map(({ connection }) => connection))];
    const withConnections = this.#scenario.connections === true;
    const lines = server.requests.flatMap(({ connection, message }) => {
      const label = withConnections ? `connection ${used.indexOf(connection) + 1}  ` : ' ';
      return messageLines(message).map((line) => label + line);
    });
    if (withConnections) lines.push(...used.map(({ peer }, index) => `connection ${index + 1} ${fate(peer)}`));
    return lines;
  }

  async #logComplete(): Promise<void> {
    for (let count = -1; count !== this.#logLines.length; ) {
      count = this.#logLines.length;
      await this.#world.wait(() => this.#logLines.length !== count, logQuietMs);
    }
  }

  #loggedLines(pid: number): string[] {
    // The kernel may give the same number to a client and to a connection towards a server: the client's name wins.
    for (const server of this.#servers.values())
      for (const { peer } of server.connections)
        if (peer.socket.remotePort !== undefined && !this.#portNames.has(peer.socket.remotePort))
          this.#portNames.set(peer.socket.remotePort, 'server side');
    return this.#logLines.map((line) => this.#named(`log ${line.replace(/\n$/, '')}`).replaceAll(String(pid), '{pid}'));
  }

  /** Ports are different in every run: they are called by what they are for. */
  #named(line: string): string {
    return line.replace(/(?<![\d.])\d{4,5}(?!\d)/g, (digits) => {
      const name = this.#portNames.get(Number(digits));
      return name === undefined ? digits : `{${name}}`;
    });
  }
}

/** Connections without a byte are health checks, or a client that left at once. */
function tcpLines(server: ScriptedServer): string[] {
  const used = server.connections.filter(({ peer }) => peer.received !== '');
  return used.flatMap(({ peer }, index) => [
    `connection ${index + 1} received ${shown(peer.received)}`,
    `connection ${index + 1} ${fate(peer)}`,
  ]);
}

function fate(peer: Peer): string {
  return peer.fate === 'open' ? 'open' : 'ended';
}
