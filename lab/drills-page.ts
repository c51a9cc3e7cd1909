/**
 * Writes docs/drills.md from the results in bench/results-drills/ (one folder a configuration, one file an engine): `node lab/drills-page.ts`.
 *
 * The results come from one command, which runs every drill of the comparison on every configuration with both engines and then writes this page:
 *
 *     node lab/drills-measure.ts                      what has no result yet
 *     node lab/drills-measure.ts --again              everything anew, about an hour on an idle machine
 *     node lab/drills-measure.ts --again --only examples --engine evergate
 *
 * It can be interrupted and started again; lab/comparison.ts says what is compared. Four configurations are other people's files, which are
 * read where `../shared/corpus` is; without it their kept results stay.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { verbs } from '../src/lab/drill-file.ts';
import type { EngineName } from '../src/lab/engine.ts';
import { busyMs } from '../src/lab/verdict.ts';
import { type Configuration, comparedDrills, comparedEngines, configurations, resultFile } from './comparison.ts';

interface Spread {
  readonly median: number;
  readonly worst: number;
}

interface DrillResult {
  readonly name: string;
  readonly title: string;
  readonly trials: number;
  readonly passed: number;
  readonly outageMs: Spread;
  readonly failed: Spread;
  readonly keptLost: Spread;
  readonly bothHeldMs: Spread;
  readonly outageMaxMs?: number;
  readonly predictionHeld: boolean;
  readonly ownDelayMs: Spread;
}

interface Results {
  readonly version: string;
  readonly trials: number;
  readonly drills: readonly DrillResult[];
}

/**
 * What another prober measured of the originals on the example's files before this one was written (medians of seven): if the two disagree,
 * one of them is wrong.
 */
const reference: Readonly<Record<string, { readonly outage: string; readonly failed: string }>> = {
  'balancer-killed': { outage: '4,360 ms', failed: '868' },
  'both-killed': { outage: '3,140 ms', failed: '625' },
  'link-lost': { outage: '3,000 ms', failed: '598' },
  'orderly-stop': { outage: '610 ms', failed: '121' },
  'preferred-returns': { outage: '20 ms', failed: '0' },
  'server-killed': { outage: 'none', failed: '326' },
  reload: { outage: 'none', failed: '0' },
};

const measured = configurations.filter(({ name }) =>
  comparedEngines.some((engine) => existsSync(resultFile(name, engine))),
);
writeFileSync(fileURLToPath(new URL('../docs/drills.md', import.meta.url)), page());

function page(): string {
  const first = read('examples', 'evergate');
  return `# Drills: what clients see of each failure

Written by \`node lab/drills-measure.ts\` from the results in \`bench/results-drills/\`; not by hand. \`evergate drill --help\` tells how to rehearse your own files.

Each figure is the median of ${first?.trials ?? 0} trials, the worst in brackets, under 200 new connections a second and four kept ones with ten requests a second
each; clients wait 900 ms for an answer. An outage is the longest time in which a client who asked got no answer; below about 25 ms it is an answer's latency.
"Kept lost": kept connections that ended between two requests so that one request had to be sent again (RFC 9112 §9.3.1); they are not failed requests.
Both engines ran the same, unmodified files in the same network namespaces, one after the other, on ${availableParallelism()} processors.
HAProxy 2.6.12 and Keepalived 2.2.7 run without a supervisor that would restart them; Evergate's launcher restarts what died.

${measured.map(section).join('\n')}
## A drill of your own

A drill is a YAML file: \`evergate drill -f haproxy.cfg -k lb1=… -k lb2=… --drill mine.yaml\`.

\`\`\`yaml
title: The active node loses its link for five seconds
before:              # prepares; not measured
  - kill: server
    on: server3
steps:
  - unplug: link     # one verb a step; on: active, standby, preferred, all, server, servers, or a name
    on: active
  - wait: answers    # clients are answered again
    within: 10 s
  - plug: link
    on: lb1
    at: 5 s          # not before this long after the first step
  - wait: settled    # every node is what the election says, and clients are answered
  - hold: 1 s
expect:
  failed: 100        # most requests that may fail; broken and outage likewise
\`\`\`

| verb | what |
|---|---|
${Object.entries(verbs)
  .map(([verb, { what }]) => `| \`${verb}\` | ${what.length === 0 ? 'a duration' : what.join(', ')} |`)
  .join('\n')}

\`answer\` takes a number where that makes sense (\`status 500\`, \`slow 300\`); \`stall\` and \`overload\` last for what \`for\` says.

## In virtual time

\`evergate drill --simulate -f … -k …\` plays the same files through the same VRRP engine on a virtual clock and network: milliseconds a drill, on any system,
without namespaces or root, and the same again from the same \`--seed\`. Prediction, conditions and judge are those of the namespaces, and the test suite compares
the verdicts of both worlds. \`--engine haproxy+keepalived\` plays what Keepalived does differently: it knows of the balancer only what is tracked, waits out its
skew after a resignation, and nobody starts again what died. Played are the nodes, their halves, links, addresses, scripts and advertisements; clients
get an answer where the address is held and the balancer behind it serves. Web servers, load, logs and descriptors do not exist there: a drill that needs
them is named and left out. Processes need no time there, so figures are what the protocol and the files make of a fault, not what a machine adds.

## Is the prober right?

The originals on the example's files, measured by another prober before (medians of seven), and by this one:

| drill | outage then | outage now | failed then | failed now |
|---|---|---|---|---|
${check()}

The time until a script's next run is left to chance, so medians of few trials differ by a few hundred milliseconds. The prober itself is tested against a server that is
stopped for exactly 100 ms (\`src/lab/prober/prober.test.ts\`).
`;
}

function section({ name, title, about }: Configuration): string {
  const ours = read(name, 'evergate');
  const theirs = read(name, 'haproxy+keepalived');
  const rows = comparedDrills.flatMap((drill) => {
    const [a, b] = [ours, theirs].map((results) => results?.drills.find((each) => each.name === drill));
    return a === undefined && b === undefined ? [] : [`| ${(a ?? b)?.title} | ${cells(a)} | ${cells(b)} |`];
  });
  return `## ${title}

${about}

| drill | Evergate: outage | predicted | failed | kept lost | HAProxy + Keepalived: outage | predicted | failed | kept lost |
|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

${[...punctuality('Evergate', ours), ...punctuality('the originals', theirs)].join(' ')}
`;
}

/** How late the prober itself was: differences below that say nothing. */
function punctuality(engine: string, results: Results | undefined): readonly string[] {
  if (results === undefined) return [`Not measured with ${engine} yet.`];
  const late = latest(results);
  const busy = late > busyMs ? ', because the machine had other work: smaller differences say nothing' : '';
  return [`With ${engine} the prober itself was late by up to ${ms(late)}${busy}.`];
}

function latest(results: Results | undefined): number {
  return Math.max(0, ...(results?.drills ?? []).map(({ ownDelayMs }) => ownDelayMs.worst));
}

function cells(result: DrillResult | undefined): string {
  if (result === undefined) return '– | – | – | –';
  const { outageMs, failed, keptLost, outageMaxMs } = result;
  const predicted = outageMaxMs === undefined ? 'until repaired' : outageMaxMs === 0 ? 'none' : `≤ ${ms(outageMaxMs)}`;
  return `${ms(outageMs.median)} (${ms(outageMs.worst)}) | ${predicted} | ${failed.median} (${failed.worst}) | ${keptLost.median} (${keptLost.worst})`;
}

function check(): string {
  const now = read('examples', 'haproxy+keepalived')?.drills ?? [];
  return now
    .filter(({ name }) => name in reference)
    .map(({ name, title, outageMs, failed }) => {
      const then = reference[name]!;
      return `| ${title} | ${then.outage} | ${ms(outageMs.median)} | ${then.failed} | ${failed.median} |`;
    })
    .join('\n');
}

function read(configuration: string, engine: EngineName): Results | undefined {
  const path = resultFile(configuration, engine);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Results) : undefined;
}

function ms(milliseconds: number): string {
  return `${Math.round(milliseconds).toLocaleString('en')} ms`;
}
