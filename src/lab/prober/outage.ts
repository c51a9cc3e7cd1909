/**
 * What a prober's records say about the service: outages as clients saw them, failures by kind, latency.
 * Pure: records in, figures out. Times are milliseconds on the machine's monotonic clock, with fraction.
 */

/** How one request ended. Everything but `ok` counts as failed. */
export type Outcome =
  | 'ok'
  | 'refused'
  | 'reset' // connection broken before the answer was complete
  | 'closed' // orderly end of connection before the answer was complete
  | 'timeout'
  | 'unreachable'
  | 'status' // an answer, but not 200
  | 'garbled';

/** One request, accounted for. */
export interface ProbeRecord {
  /** When the open-loop plan wanted it sent. */
  readonly due: number;
  /** When it really was: later than `due` only by the prober's own delay. */
  readonly started: number;
  readonly finished: number;
  readonly outcome: Outcome;
  readonly status: number;
  /** Who answered (the `X-Served-By` field or the page's title), empty when nobody did. */
  readonly server: string;
  /** Sent on a connection of its own, or on one that is kept alive. */
  readonly kind: 'new' | 'keep-alive';
  /** The connection had carried requests before, and not a byte of an answer to this one came. */
  readonly onUsedConnection?: boolean;
}

/**
 * A kept connection that was lost between two requests, told from one that broke inside an exchange: it had been used before, and nothing
 * of an answer came. A client may send such a request again on a new connection (RFC 9112 §9.3.1), as browsers do.
 */
export function isLostBetween({ outcome, onUsedConnection }: ProbeRecord): boolean {
  return onUsedConnection === true && (outcome === 'reset' || outcome === 'closed');
}

/** A time in which the prober itself did not run: its own scheduling delay, measured. */
export interface Stall {
  readonly from: number;
  readonly to: number;
}

export interface Outage {
  readonly from: number;
  readonly to: number;
  readonly milliseconds: number;
}

/**
 * The longest time in which a client who asked got no answer.
 *
 * An outage begins when the first request is sent that is not answered before the silence ends, and it ends with the first
 * answer after. A silence in which nothing was asked is no outage; and where the prober itself slept just before it
 * noticed that first answer, the outage ends when it fell asleep: its own delay is never counted.
 */
export function longestOutage(records: readonly ProbeRecord[], stalls: readonly Stall[]): Outage | undefined {
  const answers = records.filter((record) => record.outcome === 'ok').sort((a, b) => a.finished - b.finished);
  const asked = records.toSorted((a, b) => a.started - b.started);
  let longest: Outage | undefined;
  const consider = (silenceFrom: number, silenceTo: number) => {
    const first = asked.find((record) => record.started >= silenceFrom && record.started < silenceTo);
    if (first === undefined) return;
    const asleep = stalls.find((stall) => stall.from < silenceTo && stall.to >= silenceTo - wakeUpMs);
    const to = asleep === undefined ? silenceTo : Math.min(silenceTo, asleep.from);
    const milliseconds = to - first.started;
    if (milliseconds > (longest?.milliseconds ?? 0)) longest = { from: first.started, to, milliseconds };
  };
  // `latestAnsweredStart`: requests sent before it are not new evidence of a silence that begins with a later answer.
  let silenceFrom = Number.NEGATIVE_INFINITY;
  for (const answer of answers) {
    consider(silenceFrom, answer.finished);
    silenceFrom = answer.finished;
  }
  const end = records.reduce((latest, record) => Math.max(latest, record.finished), silenceFrom);
  if (end > silenceFrom && records.some((record) => record.outcome !== 'ok' && record.started >= silenceFrom))
    consider(silenceFrom, end);
  return longest;
}

/** Answers that waited in the kernel while the prober slept are noticed within a few of its turns after it woke. */
const wakeUpMs = 5;

export interface ProbeSummary {
  readonly requests: number;
  readonly failed: number;
  readonly failures: Readonly<Partial<Record<Outcome, number>>>;
  readonly outageMs: number;
  readonly servers: Readonly<Record<string, number>>;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly worst: number };
  /** Longest time that the prober itself did not run. */
  readonly ownDelayMs: number;
}

export function summarise(records: readonly ProbeRecord[], stalls: readonly Stall[]): ProbeSummary {
  const failures: Partial<Record<Outcome, number>> = {};
  const servers: Record<string, number> = {};
  const latencies: number[] = [];
  for (const record of records) {
    if (record.outcome === 'ok') {
      servers[record.server] = (servers[record.server] ?? 0) + 1;
      latencies.push(record.finished - record.started);
    } else failures[record.outcome] = (failures[record.outcome] ?? 0) + 1;
  }
  latencies.sort((a, b) => a - b);
  const quantile = (q: number) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * q))] ?? 0;
  return {
    requests: records.length,
    failed: records.length - latencies.length,
    failures,
    outageMs: longestOutage(records, stalls)?.milliseconds ?? 0,
    servers,
    latencyMs: { p50: quantile(0.5), p99: quantile(0.99), worst: latencies.at(-1) ?? 0 },
    ownDelayMs: stalls.reduce((worst, stall) => Math.max(worst, stall.to - stall.from), 0),
  };
}
