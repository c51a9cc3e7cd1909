/**
 * Reads the answer to an HTTP check until the expectation is decided. Keeps no more than `checkAnswerBytesMax` of it; a body beyond that
 * is judged by what is there, as HAProxy does with its buffer.
 */
import { BodyReader } from '../http1/body.ts';
import { Head } from '../http1/head.ts';
import { isBodyless, readResponse } from '../http1/read-response.ts';
import { checkAnswerBytesMax, headBytesMax, headerFieldsMax } from '../limits.ts';
import type { Expected } from './expect.ts';
import { type CheckResult, hasPassed } from './result.ts';

export class AnswerReader {
  readonly #expected: readonly Expected[];
  /** The expectation that is to be met next; those before are. */
  #next = 0;
  readonly #requestWasHead: boolean;
  readonly #bytes = new Uint8Array(checkAnswerBytesMax);
  #length = 0;
  #at = 0;
  readonly #head = new Head(headerFieldsMax);
  #headRead = false;
  readonly #body = new BodyReader();
  #text = '';

  /** @param expected at least one; all must be met, in this order. */
  constructor(expected: readonly Expected[], requestWasHead: boolean) {
    this.#expected = expected;
    this.#requestWasHead = requestWasHead;
  }

  /** @returns the result, or undefined while more bytes are needed. */
  received(buffer: Uint8Array, start: number, end: number): CheckResult | undefined {
    const fits = Math.min(end - start, this.#bytes.length - this.#length);
    this.#bytes.set(buffer.subarray(start, start + fits), this.#length);
    this.#length += fits;
    return this.#judge(this.#length === this.#bytes.length);
  }

  /** The server sent everything it wanted to. */
  ended(): CheckResult {
    return this.#judge(true) ?? invalid;
  }

  #judge(last: boolean): CheckResult | undefined {
    const head = this.#head;
    while (!this.#headRead) {
      const next = readResponse(head, this.#bytes, this.#at, this.#length, headBytesMax);
      if (next < 0) return invalid;
      if (next === 0) return last ? invalid : undefined;
      this.#at = next;
      if (head.status < 200 && head.status !== 101) continue; // RFC 9110 §15.2: interim, the answer follows
      this.#headRead = true;
      if (isBodyless(head.status, this.#requestWasHead)) this.#body.begin('none', 0);
      else if (head.chunked) this.#body.begin('chunked', 0);
      else if (head.contentLength >= 0) this.#body.begin('length', head.contentLength);
      else this.#body.begin('until-close', 0);
    }
    return this.#expect(last);
  }

  #expect(last: boolean): CheckResult | undefined {
    for (;;) {
      const expected = this.#expected[this.#next];
      const result = expected.wantsBody ? this.#judgeBody(expected, last) : this.#judgeStatus(expected);
      if (result === undefined || !hasPassed(result.status)) return result;
      if (++this.#next === this.#expected.length) return result;
    }
  }

  #judgeStatus(expected: Expected): CheckResult {
    const { status, reasonStart, reasonEnd } = this.#head;
    return expected.judgeStatus(status, latin1(this.#bytes, reasonStart, reasonEnd));
  }

  #judgeBody(expected: Expected, last: boolean): CheckResult | undefined {
    while (this.#at < this.#length && !this.#body.done) {
      this.#at = this.#body.read(this.#bytes, this.#at, this.#length);
      if (this.#body.error !== undefined) return invalid;
      this.#text += latin1(this.#bytes, this.#body.dataStart, this.#body.dataEnd);
    }
    return expected.judgeBody(this.#head.status, this.#text, last || this.#body.done);
  }
}

const invalid: CheckResult = { status: 'L7RSP', code: -1, info: '' };

function latin1(buffer: Uint8Array, start: number, end: number): string {
  let text = '';
  for (let at = start; at < end; at++) text += String.fromCharCode(buffer[at]);
  return text;
}
