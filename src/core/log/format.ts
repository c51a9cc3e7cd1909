/**
 * A log format, compiled once and rendered for every line.
 *
 * Compiling turns each variable into a step: a small function that reads the record and writes bytes. Neighbouring texts are
 * one step, and everything that is the same for every line (names of machine and cookies, the process id) is text already.
 */
import { DateBytes, type DateBytes as Dates, utc, type ZoneOffset } from './dates.ts';
import { writeEncoded, writeEscapedText } from './escape.ts';
import { hexAddress } from './hex-address.ts';
import { type FormatFlags, type FormatMode, type FormatNode, parseLogFormat } from './parse.ts';
import { isGrowing, isNumber, numberCode, numberOf, textCode, textOf } from './plain-values.ts';
import type { LogRecord } from './record.ts';
import { locate, located, type RequestPart } from './request-line.ts';
import type { Variable } from './variables.ts';
import { writeHex, writeInteger, writePadded, writeText } from './write.ts';

export interface FormatContext {
  readonly pid: number; // %pid
  readonly hostname: string; // %H
  readonly zone: ZoneOffset; // %t, %tr, %Tl, %trl
}

export interface LogFormat {
  /**
   * False when all that the line tells is known with the response's head (http) or the server connection (tcp): HAProxy
   * then writes it at that moment, as with `option logasap`.
   */
  readonly waitsForEnd: boolean;
  /**
   * Writes the line at `offset` of `out` and returns its end. A line that doesn't fit is cut at the end of `out`.
   */
  render(record: LogRecord, out: Uint8Array, offset: number): number;
}

export type CompiledFormat =
  | { readonly ok: true; readonly format: LogFormat }
  | { readonly ok: false; readonly message: string; readonly column: number };

export const neutralContext: FormatContext = { pid: 0, hostname: 'localhost', zone: utc };

export function compileLogFormat(
  text: string,
  mode: FormatMode,
  context: FormatContext = neutralContext,
): CompiledFormat {
  const parsed = parseLogFormat(text, mode);
  if (!parsed.ok) return parsed;
  return { ok: true, format: new CompiledLine(parsed.nodes, context) };
}

type Step = (record: LogRecord, out: Uint8Array, offset: number) => number;

/** A text that is the same for every line, a value of the record by its code, or something that takes more. */
type Part = string | { readonly code: number } | Step;

/** A line is a text, then values, each followed by a text: half of a usual format is punctuation, which costs no call so. */
class CompiledLine implements LogFormat {
  readonly waitsForEnd: boolean;
  /** Codes of values (`plain-values.ts`), 0 where a step writes it. */
  readonly #codes: Uint8Array;
  readonly #steps: readonly (Step | undefined)[];
  /** All texts, and where the one before each value ends; the last ends the line. */
  readonly #texts: Uint8Array;
  readonly #textEnds: Uint32Array;

  constructor(nodes: readonly FormatNode[], context: FormatContext) {
    this.waitsForEnd = nodes.some((node) => node.kind === 'variable' && node.variable.known === 'end');
    let text = '';
    const textEnds: number[] = [];
    const values: Exclude<Part, string>[] = [];
    for (const node of nodes) {
      const part = node.kind === 'text' ? node.text : variablePart(node.variable, node.flags, context);
      if (typeof part === 'string') text += part;
      else {
        textEnds.push(text.length);
        values.push(part);
      }
    }
    this.#texts = latin1(text);
    this.#textEnds = Uint32Array.of(...textEnds, text.length);
    this.#codes = Uint8Array.from(values, (value) => (typeof value === 'function' ? 0 : value.code));
    this.#steps = values.map((value) => (typeof value === 'function' ? value : undefined));
  }

  render(record: LogRecord, out: Uint8Array, offset: number): number {
    const codes = this.#codes;
    const texts = this.#texts;
    const textEnds = this.#textEnds;
    let end = offset;
    let text = 0;
    for (let index = 0; index < codes.length; index++) {
      for (const stop = textEnds[index]; text < stop; text++) out[end++] = texts[text];
      const code = codes[index];
      if (code === 0) end = this.#steps[index]!(record, out, end);
      else if (isNumber(code)) {
        if (isGrowing(code) && record.asap) out[end++] = plus;
        end = writeInteger(out, end, numberOf(code, record));
      } else end = writeText(out, end, textOf(code, record) || '-');
    }
    for (; text < texts.length; text++) out[end++] = texts[text];
    return Math.min(end, out.length);
  }
}

const plus = 0x2b;

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function variablePart(variable: Variable, flags: FormatFlags, context: FormatContext): Part {
  const { kind, name } = variable;
  switch (kind) {
    case 'integer':
    case 'plus-integer':
      return integerPart(name, flags, context);
    case 'text':
      return name === 'H' ? hostnameText(context.hostname, flags) : textPart(name, flags);
    case 'address':
      return flags.hexadecimal ? hexAddressStep(name, flags) : textPart(name, flags);
    case 'port':
      return portStep(name, flags);
    case 'date':
      return dateStep(name, context.zone);
    case 'request':
      return requestStep(name as RequestPart, flags);
    case 'termination':
      return terminationStep(name === 'tsc');
    case 'retries':
      return retriesStep;
    case 'absent-text':
    case 'nothing':
      return emptyText(flags);
  }
}

function emptyText(flags: FormatFlags): string {
  return flags.quote ? '""' : flags.mandatory ? '-' : '';
}

function textPart(name: string, flags: FormatFlags): Part {
  const code = textCode(name);
  if (!flags.quote && !flags.escape && flags.mandatory) return { code };
  const empty = emptyText(flags);
  return (record, out, offset) => {
    const text = textOf(code, record);
    if (text === '') return writeText(out, offset, empty);
    let end = flags.quote ? writeText(out, offset, '"') : offset;
    end = flags.escape ? writeEscapedText(out, end, text) : writeText(out, end, text);
    return flags.quote ? writeText(out, end, '"') : end;
  };
}

function hostnameText(hostname: string, flags: FormatFlags): string {
  if (hostname === '') return emptyText(flags);
  const text = flags.escape ? hostname.replace(/["\\\]]/g, '\\$&') : hostname;
  return flags.quote ? `"${text}"` : text;
}

/** Hexadecimal is a number to HAProxy: never quoted. */
function hexAddressStep(name: string, flags: FormatFlags): Step {
  const code = textCode(name);
  const empty = emptyText(flags);
  return (record, out, offset) => writeText(out, offset, hexAddress(textOf(code, record)) || empty);
}

const ports: Readonly<Record<string, (record: LogRecord) => number>> = {
  bp: (record) => record.backendPort,
  cp: (record) => record.clientPort,
  fp: (record) => record.frontendPort,
  sp: (record) => record.serverPort,
};

/** A port without an address prints as an empty text; with one it is a number and never quoted. */
function portStep(name: string, flags: FormatFlags): Step {
  const host = textCode(`${name[0]}i`);
  const port = ports[name];
  const empty = emptyText(flags);
  return (record, out, offset) => {
    const value = port(record);
    if (value === 0 && textOf(host, record) === '') return writeText(out, offset, empty);
    return flags.hexadecimal ? writeHex(out, offset, value, 4) : writeInteger(out, offset, value);
  };
}

const hexadecimals: Readonly<Record<string, Step>> = {
  Ts: (record, out, at) => writeHex(out, at, Math.floor(record.acceptedWallMs / 1000), 4),
  ms: (record, out, at) => writeHex(out, at, millisecond(record.acceptedWallMs), 2),
  rt: (record, out, at) => writeHex(out, at, record.requestCounter, 4),
};

function integerPart(name: string, flags: FormatFlags, context: FormatContext): Part {
  if (name === 'pid')
    return flags.hexadecimal ? context.pid.toString(16).toUpperCase().padStart(4, '0') : String(context.pid);
  if (name === 'lc') {
    let written = 0;
    return (_record, out, offset) => writeInteger(out, offset, written++);
  }
  const hexadecimal = flags.hexadecimal ? hexadecimals[name] : undefined;
  if (hexadecimal !== undefined) return hexadecimal;
  return name === 'ms'
    ? (record, out, at) => writePadded(out, at, millisecond(record.acceptedWallMs), 3)
    : { code: numberCode(name) };
}

function millisecond(wallMs: number): number {
  // Not the remainder of a number beyond 32 bits: V8 calls the C library for it.
  return Math.floor(wallMs - Math.floor(wallMs / 1000) * 1000);
}

const point = 0x2e;

function dateStep(name: string, zone: ZoneOffset): Step {
  const withMs = name === 't' || name === 'tr';
  const dates: Dates = new DateBytes(withMs ? 'log' : 'log-zone', name === 'T' || name === 'trg' ? utc : zone);
  const ofRequest = name.startsWith('tr');
  return (record, out, offset) => {
    const wallMs = ofRequest ? record.requestWallMs : record.acceptedWallMs;
    const end = dates.write(out, offset, wallMs);
    if (!withMs) return end;
    out[end] = point;
    return writePadded(out, end + 1, millisecond(wallMs), 3);
  };
}

const quote = 0x22;

function requestStep(part: RequestPart, flags: FormatFlags): Step {
  return (record, out, offset) => {
    let end = offset;
    if (flags.quote) out[end++] = quote;
    if (record.requestEnd === record.requestStart) {
      end = writeText(out, end, '<BADREQ>');
    } else {
      locate(record, part);
      end = writeEncoded(out, end, record.requestBytes, located.start, located.end, flags.escape);
    }
    if (flags.quote) out[end++] = quote;
    return end;
  };
}

/** The two characters for cookies are always '-': no cookie is configured (manual 8.5). */
function terminationStep(withCookies: boolean): Step {
  return (record, out, offset) => {
    out[offset] = record.terminationCause.charCodeAt(0);
    out[offset + 1] = record.terminationState.charCodeAt(0);
    if (!withCookies) return offset + 2;
    out[offset + 2] = out[offset + 3] = minus;
    return offset + 4;
  };
}

const minus = 0x2d;

function retriesStep(record: LogRecord, out: Uint8Array, offset: number): number {
  return writeInteger(out, record.redispatched ? writeText(out, offset, '+') : offset, record.retries);
}
