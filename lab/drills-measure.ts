/**
 * Measures what docs/drills.md shows (lab/comparison.ts says what that is) and writes the page anew:
 *
 *     node lab/drills-measure.ts                            what has no result yet, one after the other
 *     node lab/drills-measure.ts --again --only examples    a configuration anew (again for more of them)
 *     node lab/drills-measure.ts --engine evergate          one engine only
 *     node lab/drills-measure.ts --trials 7 --jobs 1        trials of each drill, and how many clusters at a time
 *
 * Each pair of configuration and engine is one run of `evergate drill` and one result file, which appears when it is complete: what was
 * interrupted is measured anew, what is there is kept, and several of these programs can work on different pairs at a time.
 * A trial takes about 7 s with Evergate and 11 s with the originals, most of it waiting for scripts and preemption; all of it about an hour.
 * The figures count on an idle machine only; how late the prober itself was is in the page.
 *
 * Exit status: 1 when a pair could not be measured. That a drill did not pass is a result.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { EngineName } from '../src/lab/engine.ts';
import {
  type Configuration,
  comparedDrills,
  comparedEngines,
  configurations,
  filesOf,
  resultFile,
} from './comparison.ts';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    engine: { type: 'string' },
    trials: { type: 'string', default: '7' },
    jobs: { type: 'string', default: '1' },
    again: { type: 'boolean', default: false },
  },
});
const running = new Set<ChildProcess>();
const folder = mkdtempSync(join(tmpdir(), 'evergate-comparison-'));
process.on('exit', () => {
  for (const drill of running) drill.kill();
  rmSync(folder, { recursive: true, force: true });
});
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));

const known = configurations.map(({ name }) => name);
for (const name of options.only ?? []) if (!known.includes(name)) refuse(`--only: one of ${known.join(', ')}`);
if (options.engine !== undefined && !comparedEngines.includes(options.engine as EngineName))
  refuse(`--engine: one of ${comparedEngines.join(', ')}`);
const trials = wholeNumber('trials', options.trials);
const jobs = wholeNumber('jobs', options.jobs);

const pairs = configurations
  .filter(({ name }) => options.only === undefined || options.only.includes(name))
  .flatMap((configuration) => comparedEngines.map((engine) => ({ configuration, engine })))
  .filter(({ engine }) => options.engine === undefined || options.engine === engine)
  .filter(({ configuration, engine }) => options.again || !isMeasured(configuration.name, engine));
let failures = 0;
const worker = async () => {
  for (let pair = pairs.shift(); pair !== undefined; pair = pairs.shift())
    if (!(await measure(pair.configuration, pair.engine))) failures++;
};
await Promise.all(Array.from({ length: jobs }, worker));
const page = spawn(process.execPath, [path('./drills-page.ts')], { stdio: 'inherit' });
const [status] = (await once(page, 'exit')) as [number];
process.exit(failures > 0 || status !== 0 ? 1 : 0);

/** Whether every drill of the comparison is in the result file, with as many trials as are wanted. */
function isMeasured(configuration: string, engine: EngineName): boolean {
  const file = resultFile(configuration, engine);
  if (!existsSync(file)) return false;
  const { drills, trials: done } = JSON.parse(readFileSync(file, 'utf8')) as {
    readonly trials: number;
    readonly drills: readonly { readonly name: string }[];
  };
  return done >= trials && comparedDrills.every((name) => drills.some((drill) => drill.name === name));
}

async function measure(configuration: Configuration, engine: EngineName): Promise<boolean> {
  const what = `${configuration.name} with ${engine}`;
  const files = filesOf(configuration, folder);
  if (files === undefined) {
    console.error(`${what}: its files are not here (../shared/corpus)`);
    return false;
  }
  const kept = resultFile(configuration.name, engine);
  mkdirSync(dirname(kept), { recursive: true });
  const made = `${kept}.${process.pid}`;
  const began = performance.now();
  const words = [
    ...['-f', files.haproxy],
    ...files.nodes.flatMap((file, index) => ['-k', `lb${index + 1}=${file}`]),
    ...comparedDrills.flatMap((name) => ['--drill', name]),
    ...['--engine', engine, '--trials', String(trials), '--json', made],
  ];
  console.log(`${what}: evergate drill ${words.join(' ')}`);
  const drill = spawn(process.execPath, [path('../src/main.ts'), 'drill', ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(drill);
  const output: Buffer[] = [];
  drill.stdout.on('data', (bytes: Buffer) => output.push(bytes));
  const [ended] = (await once(drill, 'close')) as [number | null];
  running.delete(drill);
  const text = Buffer.concat(output).toString();
  if (ended !== 0 && ended !== 1) {
    rmSync(made, { force: true });
    console.error(`${text}\n${what}: ended with status ${ended}`);
    return false;
  }
  writeFileSync(made, `${JSON.stringify(kernel(JSON.parse(readFileSync(made, 'utf8')) as Kept), undefined, 1)}\n`);
  renameSync(made, kept);
  const count = trials * comparedDrills.length;
  const seconds = (performance.now() - began) / 1000;
  console.log(text.slice(text.lastIndexOf('\n\n')).trim());
  console.log(`${what}: ${seconds.toFixed(0)} s, ${(seconds / count).toFixed(1)} s a trial`);
  return true;
}

interface Kept {
  readonly drills: readonly { readonly runs: readonly Readonly<Record<string, unknown>>[] }[];
}

/** What is worth keeping: each trial's figures, without the course of its events. */
function kernel(report: Kept): unknown {
  const figures = ['trial', 'requests', 'failed', 'keptLost', 'outageMs', 'bothHeldMs', 'ownDelayMs', 'reasons'];
  const drills = report.drills.map((drill) => ({
    ...drill,
    runs: drill.runs.map((run) => Object.fromEntries(figures.map((figure) => [figure, run[figure]]))),
  }));
  return { ...report, drills };
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1) refuse(`--${name} takes a whole number above 0, not "${text}"`);
  return number;
}

function refuse(text: string): never {
  console.error(`drills-measure: ${text}`);
  process.exit(2);
}
