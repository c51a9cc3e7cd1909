/** Clients on a site's switch, while something happens to what serves them. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { Host } from '../../src/lab/network.ts';
import { monotonicMs } from '../../src/lab/prober/load.ts';
import { isLostBetween, type ProbeSummary, summarise } from '../../src/lab/prober/outage.ts';
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
    const seen = summarise(
      prober.records.filter((record) => record.started >= from && !isLostBetween(record)),
      prober.stalls.filter(({ to }) => to >= from),
    );
    const inWords = describe(what, seen);
    console.log(inWords);
    return { ...seen, inWords };
  } finally {
    await prober.stop();
  }
}

/** Fails when clients got no answer for longer than this, not counting what the prober itself was late on a busy machine. */
export function answeredWithin(ms: number, { outageMs, ownDelayMs, inWords }: Seen): void {
  assert.ok(outageMs - ownDelayMs < ms, inWords);
}

export function lostNothing({ failed, inWords }: Seen): void {
  assert.equal(failed, 0, inWords);
}

function describe(what: string, { outageMs, failed, failures, requests, ownDelayMs }: ProbeSummary): string {
  return `${what}: no answer for ${Math.round(outageMs)} ms, ${failed} of ${requests} requests failed ${JSON.stringify(failures)} (the prober itself was ${Math.round(ownDelayMs)} ms late)`;
}
