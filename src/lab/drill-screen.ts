/** What a person sees of a session of drills: events as they happen, a live line, a table at the end. */
import type { Drill } from './drill-file.ts';
import type { Engine } from './engine.ts';
import type { LoadedCluster } from './load-cluster.ts';
import { monotonicMs } from './prober/load.ts';
import type { Report } from './report.ts';
import type { Runner, RunnerEvents } from './runner.ts';
import type { Terminal } from './terminal.ts';
import { busyMs, type Summary, type Verdict } from './verdict.ts';

export class DrillScreen implements RunnerEvents {
  readonly #terminal: Terminal;
  #zero = monotonicMs();
  #live: NodeJS.Timeout | undefined;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Shows the live line from now on. */
  watch(runner: Runner): void {
    this.#live = setInterval(() => this.#showLive(runner), 100);
  }

  /** @param zero when it began, on the clock that its events are told on. */
  begins(drill: Drill, trial: number, trials: number, zero = monotonicMs()): void {
    this.#zero = zero;
    this.#terminal.line();
    const run = trials > 1 ? ` (${trial} of ${trials})` : '';
    this.#terminal.line(this.#terminal.style('bold', `${drill.title}${run}`));
  }

  told(at: number, kind: string, node: string, text: string): void {
    const time = this.#terminal.style('dim', `${((at - this.#zero) / 1000).toFixed(3).padStart(7)} s`);
    const what =
      kind === 'step'
        ? this.#terminal.style('yellow', text)
        : kind === 'problem'
          ? this.#terminal.style('red', text)
          : kind === 'state'
            ? `${node} is ${this.#state(text)}`
            : this.#terminal.style('dim', `${node} ${text}`);
    this.#terminal.line(`${time}  ${what}`);
  }

  judged(verdict: Verdict): void {
    const terminal = this.#terminal;
    const predicted = verdict.outageMaxMs === undefined ? 'until repaired' : `≤ ${ms(verdict.outageMaxMs)}`;
    const how = Object.entries(verdict.failures).map(([kind, count]) => `${count} ${kind}`);
    const failed = `${verdict.failed} of ${verdict.requests} failed${how.length === 0 ? '' : ` (${how.join(', ')})`}`;
    const mark = verdict.passed ? terminal.style('green', '✔ passed') : terminal.style('red', '✘ not passed');
    const lost = verdict.keptLost > 0 ? `, ${verdict.keptLost} kept connections lost between requests` : '';
    const both = verdict.bothHeldMs > 1 ? `; two held the address for ${ms(verdict.bothHeldMs)}` : '';
    terminal.line(`  ${mark}: outage ${ms(verdict.outageMs)} (predicted ${predicted}), ${failed}${lost}${both}`);
    for (const reason of verdict.reasons) terminal.line(`    ${terminal.style('red', reason)}`);
  }

  failed(error: Error, log: readonly string[]): void {
    this.end();
    this.#terminal.line(this.#terminal.style('red', `The drill could not be run: ${error.message}`));
    for (const line of log) this.#terminal.line(`  ${line}`);
  }

  end(): void {
    clearInterval(this.#live);
    this.#terminal.endLive();
  }

  table({ summaries, trials, engine, notPlayed }: Report): void {
    const terminal = this.#terminal;
    terminal.line();
    const many = trials > 1;
    const head = ['drill', 'outage', 'predicted', 'failed', 'broken', 'kept lost', 'two held', 'verdict'];
    terminal.table(
      head.map((word) => (many && ['outage', 'failed'].includes(word) ? `${word} (worst)` : word)),
      summaries.map((summary) => this.#row(summary, many)),
    );
    const passed = summaries.filter((summary) => summary.passed === summary.trials).length;
    terminal.line(
      terminal.style(
        'dim',
        `${engine.version}: ${passed} of ${summaries.length} passed${many ? `, medians of ${trials} trials` : ''}`,
      ),
    );
    const late = Math.max(...summaries.map(({ ownDelayMs }) => ownDelayMs.worst));
    if (late > busyMs)
      terminal.line(
        terminal.style(
          'yellow',
          `This machine was busy: the prober itself was late by up to ${ms(late)}. Repeat what is close to a limit.`,
        ),
      );
    for (const { drill, why } of notPlayed) terminal.line(terminal.style('dim', `  ${drill.name}: not played, ${why}`));
    for (const { drill, reasons } of summaries)
      for (const reason of reasons) terminal.line(`  ${drill.name}: ${terminal.style('red', reason)}`);
  }

  #row({ drill, outageMs, outageMaxMs, failed, broken, keptLost, bothHeldMs, passed, trials }: Summary, many: boolean) {
    const worst = (value: string, most: string) => (many ? `${value} (${most})` : value);
    return [
      drill.title,
      worst(ms(outageMs.median), ms(outageMs.worst)),
      outageMaxMs === undefined ? 'until repaired' : `≤ ${ms(outageMaxMs)}`,
      worst(String(failed.median), String(failed.worst)),
      String(broken.worst),
      String(keptLost.worst),
      bothHeldMs.worst < 1 ? '–' : ms(bothHeldMs.worst),
      passed === trials ? 'passed' : many ? `${passed} of ${trials}` : 'NOT PASSED',
    ];
  }

  #state(text: string): string {
    return this.#terminal.style(text === 'MASTER' ? 'green' : text === 'BACKUP' ? 'blue' : 'red', text);
  }

  #showLive({ cluster, prober }: Runner): void {
    const now = monotonicMs();
    const { servers, failed, requests } = prober.summary(now - 1000, now);
    const shares = Object.entries(servers)
      .sort()
      .map(([server, count]) => `${server} ${String(count).padStart(3)}`);
    const nodes = cluster.nodeStates().map(([node, state]) => `${node} ${this.#state(state ?? 'gone')}`);
    const bad = failed > 0 ? this.#terminal.style('red', `failed ${failed}`) : 'failed 0';
    const count = `last second: ${String(requests).padStart(3)} requests`;
    this.#terminal.live(`  ${nodes.join('  ')}  │ ${count}  ${shares.join('  ')}  ${bad}`);
  }
}

/** The cluster in a few lines, with everything that stands in for something else. */
export function describeCluster(
  { topology, standIns }: LoadedCluster,
  engine: Engine,
  simulated = false,
): readonly string[] {
  const host = ({
    name,
    interfaces,
  }: {
    readonly name: string;
    readonly interfaces: readonly { readonly addresses: readonly string[] }[];
  }) => `${name} ${interfaces.flatMap(({ addresses }) => addresses.map((each) => each.replace(/\/.*/, ''))).join(' ')}`;
  return [
    `${engine.version}${simulated ? ', in virtual time' : ''}: clients ask ${topology.virtualAddress}:${topology.port} (frontend ${topology.frontend})`,
    `  balancers  ${topology.nodes.map(host).join(', ')}`,
    `  servers    ${[...topology.servers.map(host), ...topology.localServers.map((name) => `${name} on the balancers`)].join(', ') || 'none'}`,
    ...standIns.map((text) => `  stand-in   ${text}`),
  ];
}

function ms(milliseconds: number): string {
  return `${Math.round(milliseconds).toLocaleString('en')} ms`;
}
