/** The prober as its reader sees it: starts the program on a client host, collects what it reports, and sums it up. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Host } from '../network.ts';
import { defaultLoad, type LoadPlan } from './load.ts';
import { type Outcome, type ProbeRecord, type ProbeSummary, type Stall, summarise } from './outage.ts';

export class Prober {
  readonly records: ProbeRecord[] = [];
  readonly stalls: Stall[] = [];
  keptClosed = 0;
  /** Told of every record as it comes. */
  onRecord: ((record: ProbeRecord) => void) | undefined;
  readonly #child: ChildProcess;

  constructor(client: Host, plan: Partial<LoadPlan> & Pick<LoadPlan, 'host'>) {
    const program = fileURLToPath(new URL(`./program${extname(import.meta.url)}`, import.meta.url));
    const argv = [process.execPath, '--disable-warning=ExperimentalWarning', program];
    this.#child = client.run([...argv, JSON.stringify({ ...defaultLoad, ...plan })], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    if (this.#child.stdout !== null) createInterface(this.#child.stdout).on('line', (line) => this.#line(line));
  }

  /** Resolves when a record arrives that `condition` accepts; every record is judged once, as it comes. */
  async until(condition: (record: ProbeRecord) => boolean): Promise<ProbeRecord> {
    const before = this.onRecord;
    return new Promise((resolve) => {
      this.onRecord = (record) => {
        before?.(record);
        if (!condition(record)) return;
        this.onRecord = before;
        resolve(record);
      };
    });
  }

  /** Drops what was before `at`, so that a long session stays small. */
  forget(at: number): void {
    this.records.splice(
      0,
      Math.max(
        0,
        this.records.findIndex(({ finished }) => finished >= at),
      ),
    );
    this.stalls.splice(
      0,
      Math.max(
        0,
        this.stalls.findIndex(({ to }) => to >= at),
      ),
    );
  }

  /** What clients saw of requests sent in [from, to) on the monotonic clock. */
  summary(from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY): ProbeSummary {
    return summarise(
      this.records.filter((record) => record.started >= from && record.started < to),
      this.stalls.filter((stall) => stall.to >= from && stall.from < to),
    );
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'close');
    this.#child.stdin?.end();
    await gone;
  }

  #line(line: string): void {
    const [kind, ...rest] = JSON.parse(line) as [string, ...unknown[]];
    if (kind === 's') this.stalls.push({ from: rest[0] as number, to: rest[1] as number });
    else if (kind === 'c') this.keptClosed++;
    else {
      const [due, started, finished, outcome, status, server, sort, onUsedConnection] = rest as [
        number,
        number,
        number,
        Outcome,
        number,
        string,
        ProbeRecord['kind'],
        boolean,
      ];
      const record = { due, started, finished, outcome, status, server, kind: sort, onUsedConnection };
      this.records.push(record);
      this.onRecord?.(record);
    }
  }
}
