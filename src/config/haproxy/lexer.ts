/**
 * HAProxy's text into lines of words (manual 2.2 "Quoting and escaping", 2.3 "Environment variables").
 *
 * A line is split at white space; `#` ends it; `'…'` takes everything as it is; `"…"` keeps spaces and replaces `$NAME`, `${NAME}`,
 * `${NAME-default}` and `${NAME[*]}` (which may become several words); a backslash outside single quotes escapes.
 * Variables are replaced within double quotes only, as HAProxy does since version 1.8. Every word keeps its place.
 */
import type { Diagnostic, Place } from '../diagnostic.ts';

/** Words in a line at most, HAProxy's MAX_LINE_ARGS; also what bounds the work that one line can cause. */
const lineWordsMax = 64;

export interface Word {
  readonly text: string;
  readonly place: Place;
}

export interface Line {
  readonly words: readonly Word[];
  /** The line from its first to its last word. */
  readonly place: Place;
}

/** Values of environment variables: what the process was started with, and what `setenv` and its kin change while reading. */
export type Variables = Map<string, string>;

/**
 * Splits one physical line (without its end). An empty line or a comment gives a line without words.
 * On an error in quoting the diagnostic is returned instead: nothing in such a line can be trusted.
 */
export function readLine(text: string, file: string, lineNumber: number, variables: Variables): Line | Diagnostic {
  const scanner = new LineScanner(text, file, lineNumber, variables);
  return scanner.run();
}

export function isDiagnostic(value: Line | Diagnostic): value is Diagnostic {
  return 'severity' in value;
}

class LineScanner {
  #text: string;
  #file: string;
  #lineNumber: number;
  #variables: Variables;
  #position = 0;
  #words: Word[] = [];
  #current = '';
  /** Where the current word began, or -1 between words. */
  #wordStart = -1;

  constructor(text: string, file: string, lineNumber: number, variables: Variables) {
    this.#text = text;
    this.#file = file;
    this.#lineNumber = lineNumber;
    this.#variables = variables;
  }

  run(): Line | Diagnostic {
    let quote = '';
    let quoteStart = 0;
    while (this.#position < this.#text.length) {
      const character = this.#text[this.#position]!;
      if (character === '\r' || character === '\0') break;
      if (quote === '' && character === '#') break;
      if (quote === '' && isSpace(character)) {
        this.#endWord();
        this.#position++;
        continue;
      }
      if (this.#wordStart < 0) this.#wordStart = this.#position;
      if ((character === '"' && quote !== "'") || (character === "'" && quote !== '"')) {
        quote = quote === '' ? character : '';
        quoteStart = this.#position++;
      } else if (character === '\\' && quote !== "'") {
        const error = this.#escape(quote);
        if (error !== undefined) return error;
      } else if (character === '$' && quote === '"') {
        const error = this.#variable();
        if (error !== undefined) return error;
      } else {
        this.#current += character;
        this.#position++;
      }
    }
    if (quote !== '')
      return this.#error(quoteStart, 1, `unmatched quote at position ${quoteStart + 1}`, `add the closing ${quote}`);
    this.#endWord();
    if (this.#words.length > lineWordsMax) {
      const word = this.#words[lineWordsMax]!;
      const message = `line too long, more than ${lineWordsMax} words: word ${lineWordsMax + 1} is '${word.text}'`;
      return this.#error(word.place.column - 1, word.place.length, message, 'split it into several lines');
    }
    const last = this.#words.at(-1)?.place;
    const column = this.#words[0]?.place.column ?? 1;
    const length = last === undefined ? 0 : last.column + last.length - column;
    return { words: this.#words, place: this.#place(column - 1, length) };
  }

  #endWord(): void {
    if (this.#wordStart < 0) return;
    const place = this.#place(this.#wordStart, this.#position - this.#wordStart);
    this.#words.push({ text: this.#current, place });
    this.#current = '';
    this.#wordStart = -1;
  }

  /** At a backslash. Combinations without a meaning stay as they are (`\1` for regular expressions). */
  #escape(quote: string): Diagnostic | undefined {
    const next = this.#text[this.#position + 1] ?? '';
    if (next === 'x') {
      const hex = this.#text.slice(this.#position + 2, this.#position + 4);
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) {
        const message = `truncated or invalid hexadecimal sequence at position ${this.#position + 1}`;
        return this.#error(
          this.#position,
          4,
          message,
          'write \\x and two hexadecimal digits, or \\\\x for the text itself',
        );
      }
      this.#current += String.fromCharCode(Number.parseInt(hex, 16));
      this.#position += 4;
      return undefined;
    }
    const control = { n: '\n', r: '\r', t: '\t' }[next];
    const literal = next !== '' && (' \\#"\''.includes(next) || (next === '$' && quote === '"'));
    this.#current += control ?? (literal ? next : '\\');
    this.#position += control !== undefined || literal ? 2 : 1;
    return undefined;
  }

  /** At a `$` within double quotes. */
  #variable(): Diagnostic | undefined {
    const start = this.#position;
    const match = /^\$(\{?)(\.?[A-Za-z_][A-Za-z0-9_]*)/.exec(this.#text.slice(start));
    if (match === null) {
      const message = `forbidden first char in environment variable name at position ${start + 2}`;
      return this.#error(start, 2, message, 'a name begins with a letter or _; write \\$ for a dollar sign');
    }
    const [whole, brace, name] = match as unknown as [string, string, string];
    this.#position += whole.length;
    let fallback = '';
    let spread = false;
    if (brace !== '') {
      const rest = /^(?:(\[\*\])|-([^}]*))?\}/.exec(this.#text.slice(this.#position));
      if (rest === null) {
        const message = `unmatched brace in environment variable name at position ${start + 2}`;
        return this.#error(
          start,
          this.#position - start,
          message,
          'write "$NAME", or a name in braces, with -default or [*] behind it',
        );
      }
      spread = rest[1] !== undefined;
      fallback = rest[2] ?? '';
      this.#position += rest[0].length;
    }
    const value = this.#lookup(name) ?? fallback;
    if (spread) this.#spread(value);
    else this.#current += value;
    return undefined;
  }

  /** `"${NAME[*]}"`: the value's words become words of the line. */
  #spread(value: string): void {
    const start = this.#wordStart;
    const place = this.#place(start, this.#position - start);
    const parts = value.split(/\s+/).filter((part) => part !== '');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      this.#words.push({ text: this.#current + part, place });
      this.#current = '';
    }
    this.#current += last;
  }

  #lookup(name: string): string | undefined {
    // Pseudo-variables of the reader itself (manual 2.3): the file and the line being read.
    if (name === '.FILE') return this.#file;
    if (name === '.LINE') return String(this.#lineNumber);
    return this.#variables.get(name);
  }

  #place(index: number, length: number): Place {
    return { file: this.#file, line: this.#lineNumber, column: index + 1, length };
  }

  #error(index: number, length: number, message: string, hint: string): Diagnostic {
    return { severity: 'alert', code: 'syntax', place: this.#place(index, length), message, hint };
  }
}

function isSpace(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\v' || character === '\f';
}
