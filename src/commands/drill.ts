/** `evergate drill`: rehearses failures of the user's own configuration on a cluster of namespaces, and judges what clients saw. */
import { writeFileSync } from 'node:fs';
import type { Drill } from '../lab/drill-file.ts';
import { loadDrills } from '../lab/drill-list.ts';
import { DrillScreen, describeCluster } from '../lab/drill-screen.ts';
import { type EngineName, engineNamed } from '../lab/engine.ts';
import { enterLab, insideLab, namespaceAccess } from '../lab/enter.ts';
import { type LoadedCluster, loadCluster, type NodeArgument } from '../lab/load-cluster.ts';
import { jsonReport, type Report, type TrialResult } from '../lab/report.ts';
import { htmlReport } from '../lab/report-html.ts';
import { junitReport } from '../lab/report-junit.ts';
import { Runner } from '../lab/runner.ts';
import { parseServiceLevel } from '../lab/service-level.ts';
import { Terminal } from '../lab/terminal.ts';
import { TopologyError } from '../lab/topology.ts';
import { judge, summariseTrials } from '../lab/verdict.ts';
import { versionShort } from './version.ts';

export interface DrillOptions {
  readonly haproxy?: readonly string[];
  readonly keepalived?: readonly string[];
  readonly engine: EngineName;
  readonly drill?: readonly string[];
  readonly list?: boolean;
  readonly simulate?: boolean;
  readonly seed?: string;
  readonly trials: string;
  readonly slo?: string;
  readonly json?: string;
  readonly junit?: string;
  readonly html?: string;
}

/** Exit status: 0 when every drill passed, 1 when one did not, 2 when none could be run. */
export async function drill(options: DrillOptions): Promise<void> {
  const terminal = new Terminal();
  const loaded = prepare(options);
  if ('refused' in loaded) refuse(loaded.refused);
  if (options.list === true) {
    for (const { name, title } of loaded.drills) terminal.line(`${name.padEnd(24)} ${title}`);
    return;
  }
  if (options.simulate !== true && !insideLab()) {
    const access = namespaceAccess(toolsOf(options, loaded));
    if (access.kind === 'none') refuse(`a drill can’t be run here: ${access.reason}`);
    await enterLab(access);
  }
  let cluster: LoadedCluster;
  try {
    cluster = await loadCluster(options.haproxy ?? [], (options.keepalived ?? []).map(nodeArgument));
  } catch (error) {
    if (error instanceof TopologyError || error instanceof RangeError) refuse(error.message);
    throw error;
  }
  // Before the work, not after it: a report that can't be written.
  for (const path of [options.json, options.junit, options.html])
    if (path !== undefined) {
      try {
        writeFileSync(path, '');
      } catch (error) {
        refuse((error as Error).message);
      }
    }
  process.exitCode = await (options.simulate === true ? simulate : rehearse)(options, loaded, cluster, terminal);
  // What was started for a drill may hold the event loop.
  if (options.simulate !== true) process.exit();
}

/** What these drills run besides, with the Debian packages that have it. */
function toolsOf({ engine }: DrillOptions, { drills }: Prepared): Record<string, string> {
  const firewall = drills.some(({ before, steps }) => [...before, ...steps].some(({ verb }) => verb === 'firewall'));
  return {
    ...(engine === 'haproxy+keepalived' ? { haproxy: 'haproxy', keepalived: 'keepalived' } : {}),
    ...(firewall ? { nft: 'nftables' } : {}),
  };
}

type Prepared = Extract<ReturnType<typeof prepare>, { readonly drills: unknown }>;

function prepare(options: DrillOptions) {
  const trials = Number(options.trials);
  if (!Number.isInteger(trials) || trials < 1)
    return { refused: `--trials takes a whole number above 0, not "${options.trials}"` };
  const seed = Number(options.seed ?? '1');
  if (!Number.isSafeInteger(seed) || seed < 0) return { refused: `--seed takes a whole number, not "${options.seed}"` };
  if (options.seed !== undefined && options.simulate !== true)
    return { refused: '--seed is for --simulate: what happens in namespaces has no seed' };
  const slo = parseServiceLevel(options.slo ?? '');
  if (typeof slo === 'string') return { refused: slo };
  const found = loadDrills(options.drill);
  if ('errors' in found) return { refused: found.errors.join('\n') };
  if (options.list !== true && ((options.haproxy ?? []).length === 0 || (options.keepalived ?? []).length === 0))
    return { refused: 'a drill needs -f <haproxy.cfg> and one -k <keepalived.conf> for each node' };
  return { trials, slo, seed, drills: found.drills };
}

async function rehearse(
  options: DrillOptions,
  { trials, slo, drills }: Prepared,
  cluster: LoadedCluster,
  terminal: Terminal,
): Promise<number> {
  const engine = engineNamed(options.engine);
  const screen = new DrillScreen(terminal);
  const runner = new Runner(cluster, engine, screen);
  const end = async (status: number): Promise<never> => {
    screen.end();
    await runner.dispose();
    process.exit(status);
  };
  process.on('SIGINT', () => void end(130));
  process.on('SIGTERM', () => void end(143));
  const results: TrialResult[] = [];
  try {
    for (const line of describeCluster(cluster, engine)) terminal.line(line);
    await runner.start();
    screen.watch(runner);
    for (const each of drills)
      for (let trial = 1; trial <= trials; trial++) {
        screen.begins(each, trial, trials);
        const observation = await runner.run(each, trial);
        const verdict = judge(observation, slo);
        results.push({ observation, verdict });
        screen.judged(verdict);
      }
  } catch (error) {
    screen.failed(error as Error, runner.cluster.recentLog(30));
    await runner.dispose();
    return 2;
  }
  screen.end();
  await runner.dispose();
  const world = { world: 'namespaces', notPlayed: [] } as const;
  return reported(options, { engine, cluster, slo, trials, results, ...world }, drills, screen);
}

/** The same drills in virtual time: milliseconds each, on any system, and the same again from the same seed. */
async function simulate(
  options: DrillOptions,
  { trials, slo, seed, drills }: Prepared,
  cluster: LoadedCluster,
  terminal: Terminal,
): Promise<number> {
  const { simulateDrill, whyNotSimulated } = await import('../../sim/drills/simulate.ts');
  const engine = engineNamed(options.engine);
  const screen = new DrillScreen(terminal);
  for (const line of describeCluster(cluster, engine, true)) terminal.line(line);
  const results: TrialResult[] = [];
  const notPlayed: { readonly drill: Drill; readonly why: string }[] = [];
  for (const each of drills) {
    const why = whyNotSimulated(each);
    if (why !== undefined) notPlayed.push({ drill: each, why });
    for (let trial = 1; why === undefined && trial <= trials; trial++) {
      const observation = simulateDrill(cluster, engine, each, trial, seed, {
        begins: (at) => screen.begins(each, trial, trials, at),
        told: (at, kind, node, text) => screen.told(at, kind, node, text),
      });
      const verdict = judge(observation, slo);
      results.push({ observation, verdict });
      screen.judged(verdict);
    }
  }
  const played = drills.filter((each) => !notPlayed.some(({ drill }) => drill === each));
  const world = { world: 'simulator', notPlayed } as const;
  const status = reported(options, { engine, cluster, slo, trials, results, ...world }, played, screen);
  return played.length === 0 ? 2 : status;
}

/** Shows and writes what came out. @returns the exit status */
function reported(
  options: DrillOptions,
  facts: Omit<Report, 'version' | 'summaries'>,
  drills: readonly Drill[],
  screen: DrillScreen,
): number {
  const { results } = facts;
  const summaries = drills.map((each) =>
    summariseTrials(
      each,
      results.filter(({ observation }) => observation.drill === each).map(({ verdict }) => verdict),
    ),
  );
  const report: Report = { version: versionShort(), summaries, ...facts };
  screen.table(report);
  for (const [path, text] of [
    [options.json, jsonReport],
    [options.junit, junitReport],
    [options.html, htmlReport],
  ] as const)
    if (path !== undefined) writeFileSync(path, text(report));
  return summaries.every(({ passed, trials: all }) => passed === all) ? 0 : 1;
}

/** `lb1=/etc/keepalived.conf`, or a path alone. */
function nodeArgument(text: string): NodeArgument {
  const match = /^([A-Za-z0-9][A-Za-z0-9-]{0,14})=(.+)$/.exec(text);
  return match === null ? { file: text } : { name: match[1]!, file: match[2]! };
}

function refuse(text: string): never {
  process.stderr.write(`evergate drill: ${text}\n`);
  process.exit(2);
}
