/**
 * `npm run demo`: two balancers, three web servers, a client and a virtual IP on one machine, on the unmodified files in `examples/`;
 * requests in turn, a balancer killed under load, its return, a web server killed. Ends with what clients saw of each.
 */

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Cluster } from '../src/lab/cluster.ts';
import { evergate } from '../src/lab/engine.ts';
import { enterLab, insideLab, namespaceAccess } from '../src/lab/enter.ts';
import { keepRunning } from '../src/lab/keep.ts';
import { loadCluster } from '../src/lab/load-cluster.ts';
import { monotonicMs } from '../src/lab/prober/load.ts';
import { isLostBetween, type ProbeSummary, summarise } from '../src/lab/prober/outage.ts';
import { Prober } from '../src/lab/prober/prober.ts';
import { Terminal } from '../src/lab/terminal.ts';
import { loopbackDemo } from './loopback-demo.ts';

const usage = `npm run demo [-- --keep]

  --keep   leave the cluster running at the end, and tell how to reach it and how to end it
`;

const { values } = parseArgs({ options: { keep: { type: 'boolean' }, help: { type: 'boolean' } } });
if (values.help === true) {
  process.stdout.write(usage);
  process.exit(0);
}
const terminal = new Terminal();
/** When the first event was told: the zero of the times on the left. */
let zero: number | undefined;
const access = namespaceAccess();
if (!insideLab()) {
  if (access.kind !== 'none') await enterLab(access);
  else process.exit(await loopbackDemo(terminal, access.reason));
}

/** What the originals need for the same faults on the same files, medians of seven trials (docs/drills.md tells how). */
const originals = {
  balancer: { outage: '4,357 ms', failed: '868' },
  back: { outage: '20 ms', failed: '0' },
  server: { outage: 'none', failed: '326' },
} as const;

const example = (name: string) => fileURLToPath(new URL(`../examples/${name}`, import.meta.url));
const loaded = await loadCluster(
  [example('haproxy.cfg')],
  [
    { name: 'lb1', file: example('keepalived-active.conf'), address: '10.42.0.73' },
    { name: 'lb2', file: example('keepalived-passive.conf'), address: '10.42.0.38' },
  ],
);
const cluster = new Cluster(loaded.topology, evergate, loaded.files);
const askScript = `fetch('http://${loaded.topology.virtualAddress}/').then(async (r) => console.log(r.headers.get('x-served-by') ?? r.status), (e) => console.log(String(e.cause ?? e)))`;
let status = 1;
process.on('SIGINT', () => void end(130));
process.on('SIGTERM', () => void end(143));
try {
  await demo();
  status = 0;
} catch (error) {
  terminal.endLive();
  terminal.line(terminal.style('red', `The demo failed: ${error instanceof Error ? error.message : String(error)}`));
  for (const line of cluster.recentLog(20)) terminal.line(`  ${line}`);
}
if (status === 0 && values.keep === true) await keepRunning(cluster, terminal);
await end(status);

async function end(code: number): Promise<never> {
  terminal.endLive();
  await cluster.dispose();
  process.exit(code);
}

async function demo(): Promise<void> {
  const began = monotonicMs();
  title('The cluster');
  terminal.line('  client 10.42.0.10 ── VIP 10.42.0.240 ─┬─ lb1 10.42.0.73 (active)  ─┬─ server1 10.42.0.135');
  terminal.line('                                        └─ lb2 10.42.0.38 (passive) ─┼─ server2 10.42.0.175');
  terminal.line('                                                                     └─ server3 10.42.0.152');
  cluster.onEvent = ({ node, kind, text }) => {
    const priority = cluster.priority(node);
    if (kind === 'state')
      event(`${node} is ${stateText(text)}${priority === undefined ? '' : ` with priority ${priority}`}`);
  };
  await cluster.start();
  event('hosts, web servers and balancers are started');
  const master = await cluster.master();
  event(`the virtual address is on ${master} after ${seconds(monotonicMs() - began)}`);

  title('Requests through the virtual IP, one server after the other');
  for (let i = 1; i <= 6; i++) event(`GET http://10.42.0.240/  →  ${terminal.style('cyan', await askOnce())}`);

  const rows: string[][] = [];
  const prober = new Prober(cluster.client, { host: loaded.topology.virtualAddress });
  const live = setInterval(() => showLive(prober), 100);
  try {
    await prober.until((record) => record.outcome === 'ok');
    title('Steady load: 200 new connections a second and 4 kept ones; then kill -9 of the balancer on lb1');
    await pause(1000);

    let from = monotonicMs();
    event(
      terminal.style(
        'yellow',
        `kill -9: ${cluster.host('lb1').signal(evergate.commandLines.balancer, 'SIGKILL')} process(es) on lb1`,
      ),
    );
    await cluster.becomes('lb2', 'MASTER');
    await prober.until((record) => record.outcome === 'ok' && record.started > from);
    const took = monotonicMs() - from;
    await pause(1000);
    // A request that was under way is accounted for when its client loses patience.
    const killed = seen(prober, from - 100, from + took + 900);
    rows.push(row('balancer killed on the active node', killed, originals.balancer));
    event(`clients saw nothing for ${ms(killed.outageMs)}; ${killed.failed} of ${killed.requests} requests failed`);

    title('It comes back: the launcher has started it again, and lb1 takes its address back when it can serve');
    from = monotonicMs();
    await cluster.becomes('lb1', 'MASTER');
    await pause(1500);
    const back = seen(prober, from, monotonicMs() - 900);
    rows.push(row('the preferred node comes back', back, originals.back));
    event(`longest wait for an answer ${ms(back.outageMs)}; ${back.failed} of ${back.requests} requests failed`);

    title('kill -9 of the web server server2');
    from = monotonicMs();
    cluster.signalServices('server2', 'SIGKILL');
    await pause(7000);
    const around = seen(prober, from, monotonicMs() - 900);
    const last = Object.keys(prober.summary(monotonicMs() - 2000).servers).sort();
    event(
      `traffic flows around it: ${last.join(' and ')} answer; ${around.failed} of ${around.requests} requests failed`,
    );
    rows.push(row('one web server killed', around, originals.server));
    if (last.includes('server2')) throw new Error('server2 was killed and yet seems to answer');
    await cluster.startServices('server2');
    await prober.until((record) => record.server === 'server2');
    event('server2 is started again and gets its share');
  } finally {
    clearInterval(live);
    terminal.endLive();
    await prober.stop();
  }

  title('What clients saw');
  terminal.table(['fault', 'outage', 'failed', 'sent again', 'of', 'HAProxy + Keepalived: outage', 'failed'], rows);
  const { ownDelayMs } = prober.summary();
  terminal.line(
    terminal.style(
      'dim',
      `(sent again: requests on kept connections that ended with the old node, as a browser does; the prober's own longest delay, not counted: ${ms(ownDelayMs)}; the originals' figures: docs/drills.md)`,
    ),
  );
}

/** One request from the client through the virtual address: who answered. */
async function askOnce(): Promise<string> {
  const child = cluster.client.run([process.execPath, '-e', askScript], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout?.on('data', (bytes) => {
    text += bytes;
  });
  await once(child, 'close');
  return text.trim();
}

/** What clients saw, with kept connections that were lost between two requests apart: those requests are sent again (RFC 9112 §9.3.1). */
interface Seen extends ProbeSummary {
  readonly sentAgain: number;
}

function seen(prober: Prober, from: number, to: number): Seen {
  const records = prober.records.filter(({ started }) => started >= from && started < to);
  const counted = records.filter((record) => !isLostBetween(record));
  const stalls = prober.stalls.filter((stall) => stall.to >= from && stall.from < to);
  return { ...summarise(counted, stalls), sentAgain: records.length - counted.length };
}

function row(fault: string, what: Seen, original: { outage: string; failed: string }): string[] {
  // Below the spacing of the requests nothing was missing: that is an answer's latency.
  const outage = what.failed === 0 && what.outageMs < 25 ? 'none' : ms(what.outageMs);
  const counts = [what.failed, what.sentAgain, what.requests].map(String);
  return [fault, outage, ...counts, original.outage, original.failed];
}

function title(text: string): void {
  terminal.line();
  terminal.line(terminal.style('bold', text));
}

function event(text: string): void {
  zero ??= monotonicMs();
  const at = `${((monotonicMs() - zero) / 1000).toFixed(3).padStart(7)} s`;
  terminal.line(`${terminal.style('dim', at)}  ${text}`);
}

function stateText(state: string): string {
  return terminal.style(state === 'MASTER' ? 'green' : state === 'FAULT' ? 'red' : 'blue', state);
}

/** The line that moves: the last answers, who gave them, what failed. */
function showLive(prober: Prober): void {
  const now = monotonicMs();
  const { servers, failed, requests } = prober.summary(now - 1000, now);
  const shares = Object.entries(servers)
    .sort()
    .map(([server, count]) => `${server} ${String(count).padStart(3)}`);
  const holders = cluster.nodeStates().map(([node, state]) => `${node} ${stateText(state ?? 'gone')}`);
  const bad = failed > 0 ? terminal.style('red', `failed ${failed}`) : 'failed 0';
  terminal.live(
    `  ${holders.join('  ')}  │ last second: ${String(requests).padStart(3)} requests  ${shares.join('  ')}  ${bad}`,
  );
}

async function pause(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function ms(milliseconds: number): string {
  return `${Math.round(milliseconds).toLocaleString('en')} ms`;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(1)} s`;
}
