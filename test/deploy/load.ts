/** Clients on a site's switch, while something happens to what serves them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { Host } from '../../src/lab/network.ts';
import { monotonicMs } from '../../src/lab/prober/load.ts';
import {
  isLostBetween,
  type ProbeRecord,
  type ProbeSummary,
  type Stall,
  summarise,
} from '../../src/lab/prober/outage.ts';
import { Prober } from '../../src/lab/prober/prober.ts';
import type { Site } from './site.ts';

export interface Seen extends ProbeSummary {
  readonly inWords: string;
}

/**
 * 100 new connections a second and two kept ones. What clients saw from the moment `act` began is written out and returned. A kept
 * connection that is lost between two requests, when the address moves, is no failed request (`isLostBetween`).
 * @param patienceMs how long a client waits for its answer.
 */
export async function underLoad(
  site: Site,
  host: string,
  what: string,
  act: () => Promise<void>,
  patienceMs = 900,
): Promise<Seen> {
  const client = {
    run: (argv: readonly string[], options: object) =>
      spawn(site.inside[0]!, [...site.inside.slice(1), ...argv], options),
  };
  const prober = new Prober(client as unknown as Host, { host, newPerSecond: 100, kept: 2, patienceMs });
  try {
    await prober.until(({ outcome }) => outcome === 'ok');
    const from = monotonicMs();
    await act();
    await prober.stop();
    const stalls = prober.stalls.filter(({ to }) => to >= from);
    const evidence = prober.records.filter(
      (record) => record.started >= from && !isLostBetween(record) && !ranOutAsleep(record, stalls),
    );
    const seen = summarise(evidence, stalls);
    const inWords = `${describe(what, seen)}${whenFailed(evidence)}`;
    console.log(inWords);
    return { ...seen, inWords };
  } finally {
    await prober.stop();
  }
}

/** Fails when clients got no answer for that long. */
export function answeredWithin(ms: number, { outageMs, inWords }: Seen): void {
  assert.ok(outageMs < ms, inWords);
}

export function lostNothing({ failed, inWords }: Seen): void {
  assert.equal(failed, 0, inWords);
}

/**
 * What clients may see of a fault, tried again once: a busy host can spoil a measurement, a mistake stays. The first try's failure is
 * written out.
 * @param heal brings back what the first try left broken.
 */
export async function observed(fault: () => Promise<void>, heal: () => Promise<void>): Promise<void> {
  try {
    await fault();
  } catch (error) {
    console.log(`Tried again, after: ${(error as Error).message}`);
    await heal();
    await fault();
  }
}

/** A client's patience that ended while the client itself did not run, on a busy host, tells nothing of the service. */
function ranOutAsleep({ outcome, started, finished }: ProbeRecord, stalls: readonly Stall[]): boolean {
  return outcome === 'timeout' && stalls.some(({ from, to }) => to - from > 100 && from < finished && to > started);
}

/** The first failures by the clock of the wall, as the journals have it: when the request began, and on which kind of connection. */
function whenFailed(records: readonly ProbeRecord[]): string {
  const sinceBoot = Date.now() - monotonicMs();
  const failed = records.filter(({ outcome }) => outcome !== 'ok').slice(0, 5);
  return failed
    .map(({ started, outcome, kind }) => {
      const at = new Date(started + sinceBoot).toISOString().slice(11, 23);
      return `\n  ${at} ${outcome}, ${kind}`;
    })
    .join('');
}

function describe(what: string, { outageMs, failed, failures, requests, ownDelayMs }: ProbeSummary): string {
  return `${what}: no answer for ${Math.round(outageMs)} ms, ${failed} of ${requests} requests failed ${JSON.stringify(failures)} (the prober itself was ${Math.round(ownDelayMs)} ms late)`;
}
