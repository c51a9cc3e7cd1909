/**
 * `http-check expect` (manual 4.2): is this answer the one that was asked for? Without one, every status of 200 to 399 is.
 */
import type { CheckResult } from './result.ts';

export interface Expectation {
  readonly kind: 'status' | 'rstatus' | 'string' | 'rstring';
  readonly negate: boolean;
  readonly pattern: string;
  readonly statuses: readonly (readonly [number, number])[];
}

export class Expected {
  /** Whether the body matters, so that it must be read. */
  readonly wantsBody: boolean;
  readonly #negate: boolean;
  readonly #statuses: readonly (readonly [number, number])[];
  readonly #string: string | undefined;
  readonly #regex: RegExp | undefined;

  /** @throws SyntaxError for a regular expression that can't be compiled; the configuration's reader has refused those. */
  constructor(expectation: Expectation | undefined) {
    const { kind, negate, pattern, statuses } = expectation ?? twoOrThreeHundred;
    this.wantsBody = kind === 'string' || kind === 'rstring';
    this.#negate = negate;
    this.#statuses = statuses;
    this.#string = kind === 'string' ? latin1(pattern) : undefined;
    this.#regex = kind === 'rstatus' || kind === 'rstring' ? new RegExp(latin1(pattern)) : undefined;
  }

  /** For an expectation about the status: decided as soon as the head has been read. */
  judgeStatus(status: number, reason: string): CheckResult {
    const found =
      this.#regex === undefined
        ? this.#statuses.some(([first, last]) => status >= first && status <= last)
        : this.#regex.test(String(status));
    return found !== this.#negate
      ? { status: 'L7OK', code: status, info: '' }
      : { status: 'L7STS', code: status, info: reason };
  }

  /**
   * For an expectation about the body.
   * @param body what has arrived, one character a byte.
   * @param complete true when no more will come.
   * @returns undefined while it can't be told.
   */
  judgeBody(status: number, body: string, complete: boolean): CheckResult | undefined {
    if (body === '')
      // Whatever is expected of it, also that something is not in it.
      return complete
        ? { status: 'L7RSP', code: -1, info: 'HTTP content check could not find a response body' }
        : undefined;
    const found = this.#string !== undefined ? body.includes(this.#string) : this.#regex?.test(body) === true;
    if (!found && !complete) return undefined;
    if (found !== this.#negate) return { status: 'L7OK', code: status, info: '' };
    return {
      status: 'L7RSP',
      code: -1,
      info: found ? 'HTTP check matched unwanted content' : 'HTTP content check did not match',
    };
  }
}

const twoOrThreeHundred: Expectation = { kind: 'status', negate: false, pattern: '200-399', statuses: [[200, 399]] };

/** The pattern's UTF-8 bytes, one character each, as bodies are compared. */
function latin1(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join('');
}
