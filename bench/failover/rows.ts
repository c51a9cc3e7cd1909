/** The rows of bench/failover/results.jsonl: one for each case, engine and set of files of a run. Rows are added, never changed. */
import { appendFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import type { EngineName } from '../../src/lab/engine.ts';
import { commit, loadBefore, rowsIn } from '../results.ts';
import type { TrialResult } from './trial.ts';
import type { Usage } from './usage.ts';

interface Common {
  readonly engine: EngineName;
  readonly files: string;
}

export type Measured = Common &
  (
    | { readonly kind: 'case'; readonly name: string; readonly trials: readonly TrialResult[] }
    | { readonly kind: 'idle'; readonly seconds: number; readonly usage: readonly Usage[] }
    | { readonly kind: 'saturated'; readonly seconds: number; readonly moves: number; readonly perSecond: number }
  );

export type Row = Measured & {
  readonly run: string;
  readonly commit: string;
  readonly machine: string;
  readonly loadBefore: number;
};

const file = join(import.meta.dirname, 'results.jsonl');
const run = new Date().toISOString();

export function record(measured: Measured): void {
  const machine = `${cpus()[0]?.model ?? ''}, ${cpus().length} processors, Linux ${release()}, Node ${process.version}`;
  const row: Row = { run, commit: commit(), machine, loadBefore, ...measured };
  appendFileSync(file, `${JSON.stringify(row, (_, value) => (typeof value === 'number' ? round(value) : value))}\n`);
}

export function readRows(): Row[] {
  return rowsIn<Row>(file);
}

/** Has this commit a row for it? */
export function isMeasured(wanted: { engine: string; files: string; kind: Measured['kind']; name?: string }): boolean {
  const now = commit();
  return readRows().some(
    (row) =>
      row.commit === now &&
      row.engine === wanted.engine &&
      row.files === wanted.files &&
      row.kind === wanted.kind &&
      (row.kind !== 'case' || row.name === wanted.name),
  );
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
