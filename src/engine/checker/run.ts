/** One check of one server: connects, asks, judges the answer, and gives exactly one result. */
import type { SocketAddress } from '../../core/address.ts';
import { AnswerReader } from '../../core/health/answer.ts';
import type { Expected } from '../../core/health/expect.ts';
import type { CheckResult } from '../../core/health/result.ts';
import type { CheckPlan } from '../../plan/balancer.ts';
import type { Stream, StreamError, StreamHandler, Streams } from '../ports/streams.ts';

export interface CheckTarget {
  readonly plan: CheckPlan;
  readonly expected: readonly Expected[];
  readonly address: SocketAddress;
  readonly source: SocketAddress | undefined;
}

export class CheckRun implements StreamHandler {
  readonly startedAt: number;
  /** When it is given up, in monotonic milliseconds. */
  deadline: number;
  readonly #target: CheckTarget;
  readonly #done: (result: CheckResult) => void;
  readonly #now: () => number;
  readonly #answer: AnswerReader;
  #stream: Stream | undefined;
  #phase: 'connecting' | 'answer' | 'done' = 'connecting';

  constructor(target: CheckTarget, streams: Streams, now: () => number, done: (result: CheckResult) => void) {
    this.#target = target;
    this.#done = done;
    this.#now = now;
    this.startedAt = now();
    this.deadline = this.startedAt + target.plan.connectTimeoutMs;
    this.#answer = new AnswerReader(target.expected, isHead(target.plan.request));
    const { address, source } = target;
    this.#stream = streams.connect(
      source === undefined ? { to: address, keepAlive: false } : { to: address, from: source, keepAlive: false },
      this,
    );
  }

  /** The deadline has come. */
  timedOut(): void {
    this.#finish({ status: this.#phase === 'connecting' ? 'L4TOUT' : 'L7TOUT', code: -1, info: '' });
  }

  /** Ends the check without a result. */
  cancel(): void {
    this.#phase = 'done';
    this.#stream?.reset();
    this.#stream = undefined;
  }

  opened(stream: Stream): void {
    if (this.#phase !== 'connecting') return;
    this.#stream = stream;
    if (this.#target.plan.kind === 'tcp') {
      this.#finish({ status: 'L4OK', code: -1, info: '' });
      return;
    }
    this.#phase = 'answer';
    const from = this.#target.plan.timeoutFromStart ? this.startedAt : this.#now();
    this.deadline = from + this.#target.plan.responseTimeoutMs;
    stream.write(this.#target.plan.request, 0, this.#target.plan.request.length);
  }

  received(buffer: Uint8Array, start: number, end: number): void {
    if (this.#phase !== 'answer') return;
    const result = this.#answer.received(buffer, start, end);
    if (result !== undefined) this.#finish(result);
  }

  drained(): void {}

  ended(): void {
    if (this.#phase === 'answer') this.#finish(this.#answer.ended());
  }

  closed(error: StreamError | undefined): void {
    if (this.#phase === 'done') return;
    this.#stream = undefined;
    if (this.#phase === 'connecting') {
      const status = error === 'resources' || error === 'permission' ? 'SOCKERR' : 'L4CON';
      this.#finish({ status, code: -1, info: errorTexts[error ?? 'other'] });
    } else if (error === undefined) this.#finish(this.#answer.ended());
    else this.#finish({ status: 'SOCKERR', code: -1, info: errorTexts[error] });
  }

  #finish(result: CheckResult): void {
    if (this.#phase === 'done') return;
    // Reset, not closed: thousands of checks an hour would otherwise leave their ports in TIME_WAIT.
    this.cancel();
    this.#done(result);
  }
}

/** The system's words for it, as they stand in HAProxy's messages. */
const errorTexts: Readonly<Record<StreamError, string>> = {
  refused: 'Connection refused',
  unreachable: 'No route to host',
  'timed-out': 'Connection timed out',
  reset: 'Connection reset by peer',
  resources: 'Resource temporarily unavailable',
  permission: 'Permission denied',
  other: 'General socket error (check configuration)',
};

function isHead(request: Uint8Array): boolean {
  return (
    request[0] === 0x48 && request[1] === 0x45 && request[2] === 0x41 && request[3] === 0x44 && request[4] === 0x20
  );
}
