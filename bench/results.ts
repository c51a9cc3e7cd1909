/** The rows of bench/results.jsonl: one for each variant and proxy of a run. Rows are added, never changed. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import type { Variant } from './settings.ts';
import { ratio, type Spread, spread } from './statistics.ts';

/** What one round measured of one proxy. */
export interface Round {
  readonly cpuUs?: number;
  readonly userUs?: number;
  readonly perSecond?: number;
  readonly memoryMiB?: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p999Ms?: number;
  /** p99 just before the idle connections, or the slow reader, came. */
  readonly p99AloneMs?: number;
  /** How late the load generator itself was, 99th percentile. */
  readonly lateMs?: number;
  readonly failed?: number;
  /** Memory of one idle connection. */
  readonly idleKiB?: number;
}

export type Figure = keyof Round;
export const figures: readonly Figure[] = [
  'cpuUs',
  'userUs',
  'perSecond',
  'memoryMiB',
  'p50Ms',
  'p99Ms',
  'p999Ms',
  'p99AloneMs',
  'lateMs',
  'failed',
  'idleKiB',
];

export interface Measured {
  readonly peer: string;
  readonly version: string;
  /** Requests a second at which latency was measured. */
  readonly perSecond: number;
  readonly rounds: readonly Round[];
}

export type Figures = Partial<Record<Figure, Spread>>;

export interface Row {
  readonly run: string;
  readonly commit: string;
  readonly kernel: string;
  readonly cpu: string;
  readonly processors: number;
  readonly node: string;
  /** What else the machine did when the run began: load average of a minute. Much above 0, and the figures tell more about that. */
  readonly loadBefore: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly setting: number;
  readonly variant: string;
  readonly peer: string;
  readonly version: string;
  readonly latencyPerSecond: number;
  readonly figures: Figures;
  /** Each figure over HAProxy's in the same run. */
  readonly ratios: Figures;
}

export const reference = 'haproxy';
const file = join(import.meta.dirname, 'results.jsonl');
const run = new Date().toISOString();
export const loadBefore = loadavg()[0]!;

export function figuresOf(one: Measured): Figures {
  return each((figure) => {
    const values = valuesOf(one, figure);
    return values === undefined ? undefined : spread(values);
  });
}

/** @param to what HAProxy measured in the same run. */
export function ratiosOf(one: Measured, to: Measured): Figures {
  return each((figure) => {
    const [values, base] = [valuesOf(one, figure), valuesOf(to, figure)];
    return values === undefined || base === undefined || base.includes(0) ? undefined : ratio(values, base);
  });
}

export function record(
  variant: Variant,
  measured: readonly Measured[],
  how: { readonly rounds: number; readonly seconds: number },
): void {
  const base = measured.find(({ peer }) => peer === reference);
  for (const one of measured) {
    const row: Row = {
      run,
      commit: commit(),
      kernel: release(),
      cpu: cpus()[0]?.model ?? '',
      processors: cpus().length,
      node: process.version,
      loadBefore,
      ...how,
      setting: variant.setting,
      variant: variant.name,
      peer: one.peer,
      version: one.version,
      latencyPerSecond: one.perSecond,
      figures: figuresOf(one),
      ratios: base === undefined ? {} : ratiosOf(one, base),
    };
    appendFileSync(file, `${JSON.stringify(row, rounded)}\n`);
  }
}

export function readRows(): Row[] {
  return rowsIn<Row>(file);
}

/** What was kept in a file of one JSON object a line; nothing where there is none yet. */
export function rowsIn<T>(path: string): T[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T);
}

function valuesOf(one: Measured, figure: Figure): readonly number[] | undefined {
  const values = one.rounds.map((round) => round[figure]);
  return values.some((value) => value === undefined) ? undefined : (values as number[]);
}

function each(of: (figure: Figure) => Spread | undefined): Figures {
  const result: Figures = {};
  for (const figure of figures) {
    const value = of(figure);
    if (value !== undefined) result[figure] = value;
  }
  return result;
}

/** The commit that was measured; with a plus when what the bench runs was changed since. */
export function commit(): string {
  const git = (...args: string[]) =>
    spawnSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8' }).stdout?.trim() ?? '';
  const hash = git('rev-parse', '--short', 'HEAD');
  return hash === '' ? 'unknown' : git('status', '--porcelain', '--', '../src') === '' ? hash : `${hash}+`;
}

function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' ? Number(value.toPrecision(5)) : value;
}
