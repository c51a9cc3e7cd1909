/**
 * One line of a section while it is being read: its words, a cursor, and the ways to refuse it.
 * A refused word throws `Refusal` inside this folder; `parse.ts` catches it and goes on with the next line.
 */
import type { Diagnostic, DiagnosticCode, Place } from '../diagnostic.ts';
import { suggest } from '../suggest.ts';
import type { Placed, WrittenAddress } from './config.ts';
import type { Word } from './lexer.ts';
import { isWrong, parseAddress, parseInteger, parseSize, parseTime, timeRemainder, type Wrong } from './values.ts';

/** Ends the reading of a line (or of one of its arguments) with a diagnostic. */
export class Refusal extends Error {
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic) {
    super(diagnostic.message);
    this.diagnostic = diagnostic;
  }
}

export class Statement {
  /** The keyword as the table has it: `timeout client`, `option httplog`, `bind`. */
  readonly keyword: string;
  readonly place: Place;
  /** What messages call the thing being read: the keyword, or the argument of a `bind` or `server` line. */
  subject: string;
  /** Where a missing word is reported. */
  subjectPlace: Place;
  /** `no` or `default` stood before the keyword. */
  readonly prefix: 'no' | 'default' | undefined;
  #words: readonly Word[];
  #next: number;
  #report: (diagnostic: Diagnostic) => void;

  constructor(
    keyword: string,
    words: readonly Word[],
    keywordWords: number,
    prefix: 'no' | 'default' | undefined,
    report: (diagnostic: Diagnostic) => void,
  ) {
    this.keyword = keyword;
    this.subject = `'${keyword}'`;
    this.prefix = prefix;
    this.#words = words;
    this.#next = keywordWords;
    const last = words[keywordWords - 1]!.place;
    const first = words[0]!.place;
    this.place = { ...first, length: last.column + last.length - first.column };
    this.subjectPlace = this.place;
    this.#report = report;
  }

  // -------------------------------------------------------------- words

  peek(): Word | undefined {
    return this.#words[this.#next];
  }

  take(): Word | undefined {
    const word = this.#words[this.#next];
    if (word !== undefined) this.#next++;
    return word;
  }

  /** The next word if it is exactly this one. */
  accept(text: string): boolean {
    if (this.peek()?.text !== text) return false;
    this.#next++;
    return true;
  }

  /** The next word, or a refusal that says what was expected. */
  expect(what: string): Word {
    const word = this.take();
    if (word === undefined || word.text === '')
      throw this.refusal('missing-argument', this.subjectPlace, `${this.subject} expects ${what}.`);
    return word;
  }

  /** Refuses anything that is left. */
  end(): void {
    const word = this.peek();
    if (word === undefined) return;
    if (word.text === 'if' || word.text === 'unless')
      throw this.refusal(
        'unsupported-word',
        word.place,
        `conditions ('${word.text}' and ACLs) are not supported yet.`,
        'remove the condition if the line should always apply',
      );
    throw this.refusal(
      'extra-argument',
      word.place,
      `${this.subject} cannot handle unexpected argument '${word.text}'.`,
      'remove it, or quote the argument if it contains spaces',
    );
  }

  // -------------------------------------------------------------- values

  integer(what: string, min: number, max: number = 2 ** 31 - 1): Placed<number> {
    return this.#value(this.expect(what), (text) => parseInteger(text, min, max));
  }

  time(what: string, min = 0): Placed<number> {
    const time = this.#value(this.expect(what), (text) => parseTime(text));
    const remainder = timeRemainder(this.#words[this.#next - 1]!.text);
    if (remainder !== '')
      this.warn(
        'risky',
        time.place,
        `unexpected character '${remainder[0]}' after the timer value of ${this.subject}; it is not read.`,
        'the units are us, ms, s, m, h and d',
      );
    if (time.value < min) throw this.refusal('bad-value', time.place, `${this.subject} expects at least ${min} ms.`);
    return time;
  }

  size(what: string, min: number, max: number): Placed<number> {
    return this.#value(this.expect(what), (text) => parseSize(text, min, max));
  }

  address(what: string): Placed<WrittenAddress> {
    return this.addressOf(this.expect(what));
  }

  addressOf(word: Word): Placed<WrittenAddress> {
    return this.#value(word, parseAddress);
  }

  string(what: string): Placed<string> {
    const word = this.expect(what);
    return { value: word.text, place: word.place };
  }

  /** One of a few words, with a suggestion when it is a near miss. */
  choice<T extends string>(choices: readonly T[], word: Word = this.expect(oneOf(choices))): Placed<T> {
    const found = choices.find((choice) => choice === word.text);
    if (found === undefined) throw this.unknownChoice(word, choices);
    return { value: found, place: word.place };
  }

  unknownChoice(word: Word, choices: readonly string[]): Refusal {
    const near = suggest(word.text, choices);
    return this.refusal(
      'bad-value',
      word.place,
      `${this.subject} expects ${oneOf(choices)} but got '${word.text}'.`,
      near === undefined ? undefined : `did you mean '${near}'?`,
    );
  }

  #value<T>(word: Word, parse: (text: string) => T | Wrong): Placed<T> {
    const value = parse(word.text);
    if (isWrong(value)) throw this.wrong(word, value);
    return { value, place: word.place };
  }

  wrong(word: Word, value: Wrong): Refusal {
    if (value.unsupported !== undefined)
      return this.refusal(
        'unsupported-word',
        word.place,
        `${this.subject} : ${value.unsupported} is not supported yet.`,
      );
    const variable = /\$\{?[A-Za-z_]/.test(word.text);
    return this.refusal(
      'bad-value',
      word.place,
      `${this.subject} expects ${value.wrong}, but got '${word.text}'.`,
      variable ? `environment variables are replaced within double quotes only: write "${word.text}"` : undefined,
    );
  }

  // -------------------------------------------------------------- diagnostics

  refusal(code: DiagnosticCode, place: Place, message: string, hint?: string): Refusal {
    return new Refusal({ severity: 'alert', code, place, message, ...(hint === undefined ? {} : { hint }) });
  }

  warn(code: DiagnosticCode, place: Place, message: string, hint?: string): void {
    this.#report({ severity: 'warning', code, place, message, ...(hint === undefined ? {} : { hint }) });
  }

  notice(code: DiagnosticCode, place: Place, message: string, hint?: string): void {
    this.#report({ severity: 'notice', code, place, message, ...(hint === undefined ? {} : { hint }) });
  }

  /** Reports an error and lets the caller go on with the line's other words. */
  alert(refusal: Refusal): void {
    this.#report(refusal.diagnostic);
  }
}

export function oneOf(choices: readonly string[]): string {
  const quoted = choices.map((choice) => `'${choice}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}
