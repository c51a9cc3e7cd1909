/**
 * Wire cases: Markdown files with what each side sends and what must come out at the other. A case is a `##` heading, words for
 * people, optionally a `json` block that changes the set-up (see `Setup` in bench.ts), and a `wire` block with one step a line:
 *
 *     client: GET / HTTP/1.1\r\nHost: x\r\n\r\n       the client sends (a name other than `client` opens another connection)
 *     server1 < GET / HTTP/1.1\r\nhost: x\r\n\r\n     the first connection that a server accepted has got exactly this since the last time
 *     server1: HTTP/1.1 200 OK\r\n…                   it sends
 *     client < HTTP/1.1 200 OK\r\n…                   the client has got exactly this
 *     client ends | resets | closes                   FIN, RST, close
 *     client < end | reset                            the client has seen the proxy's FIN, or a reset
 *     wait 500                                        milliseconds of virtual time
 *     log front/<NOSRV> …                             the next log line (HAProxy's httplog or tcplog, without client and date)
 *     connections 2                                   servers have accepted so many connections until now
 *
 * Escapes: \r \n \t \\ \xHH. `{a*300}` stands for 300 times `a`. At the end nobody may have got anything that no step named.
 */
import assert from 'node:assert/strict';
import { Bench, type Peer, type Setup } from './bench.ts';

export interface WireCase {
  readonly name: string;
  readonly setup: Setup;
  readonly steps: readonly string[];
}

export function parseWire(markdown: string): WireCase[] {
  return markdown
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const name = section.slice(0, section.indexOf('\n')).trim();
      const json = /```json\n([\s\S]*?)```/.exec(section)?.[1];
      const wire = /```wire\n([\s\S]*?)```/.exec(section)?.[1];
      assert.ok(wire !== undefined, `${name}: no wire block`);
      const steps = wire.split('\n').filter((line) => line.trim() !== '');
      return { name, setup: json === undefined ? {} : (JSON.parse(json) as Setup), steps };
    });
}

/** @param segmentBytes cuts everything that is sent into segments of this size. */
export function runWire(one: WireCase, segmentBytes?: number): void {
  const network = segmentBytes === undefined ? {} : { segmentBytes: () => segmentBytes };
  const bench = new Bench({ ...one.setup, network });
  const clients = new Map<string, Peer>();
  const peer = (name: string): Peer => {
    if (name.startsWith('server')) {
      const found = bench.servers[Number(name.slice(6)) - 1]?.peer;
      assert.ok(found, `${name} has not been connected to`);
      return found;
    }
    let found = clients.get(name);
    if (found === undefined) {
      found = bench.client();
      clients.set(name, found);
    }
    return found;
  };
  let logs = 0;
  for (const step of one.steps) {
    const send = /^(\w+): (.*)$/.exec(step);
    const get = /^(\w+) < (.*)$/.exec(step);
    const act = /^(\w+) (ends|resets|closes|connects|stalls|reads)$/.exec(step);
    const wait = /^wait (\d+)$/.exec(step);
    const connections = /^connections (\d+)$/.exec(step);
    if (wait !== null) bench.wait(Number(wait[1]));
    else if (connections !== null) assert.equal(bench.servers.length, Number(connections[1]), step);
    else if (step.startsWith('log ')) assert.equal(bench.log[logs++], step.slice(4), `log line ${logs}`);
    else if (act !== null) perform(peer(act[1]!), act[2]!);
    else if (send !== null) peer(send[1]!).send(fromWritten(send[2]!));
    else if (get !== null) expect(peer(get[1]!), get[2]!, step);
    else assert.fail(`not a step: ${step}`);
    if (wait === null) bench.settle();
  }
  for (const [name, client] of clients) assert.equal(written(client.take()), '', `${name} got more than the case says`);
  for (const [index, { peer: server }] of bench.servers.entries())
    assert.equal(written(server.take()), '', `server${index + 1} got more than the case says`);
  assert.deepEqual(bench.log.slice(logs), [], 'log lines that the case does not name');
}

function perform(peer: Peer, action: string): void {
  if (action === 'ends') peer.stream.shutdown();
  else if (action === 'resets') peer.stream.reset();
  else if (action === 'closes') peer.stream.close();
  else if (action === 'stalls') peer.stream.pause();
  else if (action === 'reads') peer.stream.resume();
}

function expect(peer: Peer, what: string, step: string): void {
  if (what === 'end') assert.ok(peer.sawEnd && peer.error === undefined, `${step}: end ${peer.sawEnd}, ${peer.error}`);
  else if (what === 'reset') assert.equal(peer.error, 'reset', step);
  else if (what === 'open') assert.ok(!peer.sawEnd && !peer.gone, step);
  else assert.equal(written(peer.take()), written(fromWritten(what)));
}

function fromWritten(text: string): string {
  return text
    .replace(/\{(.)\*(\d+)\}/g, (_, char: string, count: string) => char.repeat(Number(count)))
    .replace(/\\(r|n|t|\\|x([0-9a-fA-F]{2}))/g, (_, code: string, hex: string | undefined) =>
      hex !== undefined
        ? String.fromCharCode(Number.parseInt(hex, 16))
        : { r: '\r', n: '\n', t: '\t', '\\': '\\' }[code]!,
    );
}

/** One line for messages; long runs stay as they are. */
function written(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}
