/**
 * How long clients wait when the address moves, and what the VRRP daemon costs while it doesn't.
 *
 * npm run bench:failover -- [case...] [--files seed,tuned-20] [--engine evergate] [--trials 20] [--idle 30] [--saturated 600]
 *   [--resume] [--no-record]
 *
 * Files: `seed` (the example's, unmodified), `tuned-100`, `tuned-20`, `tuned-10` (bench/failover/tuned with that interval in milliseconds).
 * Engines: evergate, haproxy+keepalived. `--idle 0` and `--trials 0` leave those parts out. Needs namespaces, so Linux and root.
 * `--resume` leaves out what this commit has a result for already, so that a run which was cut goes on where it was. A trial that fails is
 * told and left out; after two in a row the case ends with what it has.
 * Results go to bench/failover/results.jsonl, and docs/failover.md is written anew from them.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from 'commander';
import { type EngineName, engineNamed, engineNames } from '../../src/lab/engine.ts';
import { enterLab, insideLab, namespaceAccess } from '../../src/lab/enter.ts';
import { loadCluster } from '../../src/lab/load-cluster.ts';
import { benchCommand, eachOf, someOf, wholeNumber } from '../command-line.ts';
import { type Case, cases } from './cases.ts';
import { figures, writePage } from './page.ts';
import { isMeasured, type Measured, record } from './rows.ts';
import { Bench, type TrialResult } from './trial.ts';

const tuned = /^tuned-([1-9]\d*)$/;

interface Options {
  readonly files: readonly string[];
  readonly engine: readonly EngineName[];
  readonly trials: number;
  readonly idle: number;
  readonly saturated: number;
  readonly resume: boolean;
  readonly record: boolean;
  readonly verbose: boolean;
}

const command = benchCommand(
  'bench:failover',
  'How long clients wait when the address moves, and what the VRRP daemon costs.',
)
  .argument(
    '[case...]',
    `of ${cases.map(({ name }) => name).join(', ')}; without any, all`,
    eachOf(cases.map(({ name }) => name)),
    [],
  )
  .option('--files <list>', 'seed, tuned-<ms> (with that advert_int)', filesOf, ['seed', 'tuned-20'])
  .option('--engine <list>', engineNames.join(', '), someOf(engineNames), ['evergate'])
  .option('--trials <n>', 'of each case; 0 leaves them out', wholeNumber, 20)
  .option('--idle <s>', 'for which idle daemons are watched; 0 leaves it out', wholeNumber, 30)
  .option('--saturated <s>', 'with both processors saturated; 0 leaves it out', wholeNumber, 0)
  .option('--resume', 'leaves out what this commit has a result for already', false)
  .option('--no-record', 'keeps no rows')
  .option('--verbose', 'tells all of each trial', false)
  .parse();
const options = command.opts<Options>();
const positionals = command.processedArgs[0] as readonly string[];
/** Trials of a case that fail one after the other: then the rest would too. */
const failuresMax = 2;
const examples = join(import.meta.dirname, '../../examples');
const chosen = positionals.length === 0 ? cases : cases.filter(({ name }) => positionals.includes(name));

async function main(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'evergate-failover-'));
  try {
    for (const files of options.files) for (const engine of options.engine) await measure(files, engine, folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (options.record) writePage();
}

async function measure(files: string, engine: EngineName, folder: string): Promise<void> {
  const keepalived = (which: string) => ({
    name: which === 'active' ? 'lb1' : 'lb2',
    file: fileOf(files, which, folder),
  });
  const loaded = await loadCluster([join(examples, 'haproxy.cfg')], [keepalived('active'), keepalived('passive')]);
  const bench = new Bench(loaded, engineNamed(engine));
  const keep = (measured: Measured) => {
    if (options.record) record(measured);
  };
  console.log(`\n${engine}, ${files}`);
  try {
    await bench.start();
    for (const one of options.trials > 0 ? chosen : []) {
      if (done({ engine, files, kind: 'case', name: one.name })) continue;
      const trials = await trialsOf(bench, one, options.trials);
      if (trials.length === 0) continue;
      console.log(`  ${one.title.padEnd(34)} away ${line(trials, 'away')}   back ${line(trials, 'back')}`);
      keep({ kind: 'case', engine, files, name: one.name, trials });
    }
    const idle = options.idle;
    if (idle > 0 && !done({ engine, files, kind: 'idle' })) {
      const usage = await bench.idle(idle);
      for (const { node, state, cpuPercent, withScriptsPercent, memoryMiB } of usage)
        console.log(
          `  idle ${node} ${state.padEnd(7)} ${cpuPercent.toFixed(2)} % (with scripts ${withScriptsPercent.toFixed(2)} %), ${memoryMiB.toFixed(1)} MiB`,
        );
      keep({ kind: 'idle', engine, files, seconds: idle, usage });
    }
    const saturated = options.saturated;
    if (saturated > 0 && !done({ engine, files, kind: 'saturated' })) {
      const { moves, report } = await bench.saturated(saturated);
      const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(report)?.[1] ?? 0);
      console.log(
        `  saturated ${saturated} s, ${perSecond.toFixed(0)} requests a second: the address moved ${moves} times`,
      );
      keep({ kind: 'saturated', engine, files, seconds: saturated, moves, perSecond });
    }
  } catch (error) {
    for (const said of bench.cluster.recentLog(30)) console.error(said);
    throw error;
  } finally {
    await bench.dispose();
  }
}

async function trialsOf(bench: Bench, one: Case, wanted: number): Promise<readonly TrialResult[]> {
  const trials: TrialResult[] = [];
  let failedInARow = 0;
  for (let i = 1; i <= wanted && failedInARow < failuresMax; i++) {
    const from = performance.now();
    try {
      trials.push(await bench.trial(one));
      failedInARow = 0;
    } catch (error) {
      // What this engine can't do with these files (Keepalived's track_process sees nothing inside a namespace), or a wait that had no end.
      failedInARow++;
      console.log(`  ${one.title}: trial ${i} of ${wanted} failed: ${(error as Error).message}`);
      await bench.recover(one);
      continue;
    }
    const { away, back } = trials.at(-1)!;
    const seconds = ((performance.now() - from) / 1000).toFixed(0);
    console.error(
      `  ${one.title}: trial ${i} of ${wanted}, ${seconds} s: away ${away.outageMs.toFixed(0)} ms, back ${back.outageMs.toFixed(0)} ms`,
    );
    if (options.verbose) console.log(JSON.stringify(trials.at(-1)));
  }
  return trials;
}

/** With `--resume`: this commit has it already. */
function done(wanted: { engine: string; files: string; kind: Measured['kind']; name?: string }): boolean {
  const already = options.resume && isMeasured(wanted);
  if (already) console.log(`  ${wanted.name ?? wanted.kind}: measured before`);
  return already;
}

function line(trials: readonly TrialResult[], which: 'away' | 'back'): string {
  const [outage, failed, touched] = figures(trials, which);
  return `${outage!.padStart(15)} ms, failed ${failed} (${touched})`;
}

function filesOf(list: string): readonly string[] {
  const names = list.split(',');
  const wrong = names.find((name) => name !== 'seed' && !tuned.test(name));
  if (wrong !== undefined) throw new InvalidArgumentError(`'${wrong}' is neither seed nor tuned-<milliseconds>.`);
  return names;
}

function fileOf(files: string, which: string, folder: string): string {
  if (files === 'seed') return join(examples, `keepalived-${which}.conf`);
  const interval = tuned.exec(files)?.[1];
  const text = readFileSync(join(import.meta.dirname, `tuned/keepalived-${which}.conf`), 'utf8');
  const path = join(folder, `${files}-${which}.conf`);
  writeFileSync(path, text.replace('advert_int 0.02', `advert_int ${Number(interval) / 1000}`));
  return path;
}

if (!insideLab()) {
  const access = namespaceAccess();
  if (access.kind === 'none') throw new Error(`namespaces are needed: ${access.reason}`);
  await enterLab(access);
}
await main();
process.exit(0);
