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
import type { LogRecord } from './record.ts';
import { locate, located, type RequestPart } from './request-line.ts';
import type { Variable } from './variables.ts';
import { writeBytes, writeHex, writeInteger, writePadded, writeText } from './write.ts';

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
  return { ok: true, format: new StepFormat(parsed.nodes, context) };
}

type Step = (record: LogRecord, out: Uint8Array, offset: number) => number;

/** A line is a text, then steps, each followed by a text: half of a usual format is punctuation, which costs no call so. */
class StepFormat implements LogFormat {
  readonly waitsForEnd: boolean;
  readonly #before: Uint8Array;
  readonly #steps: readonly Step[];
  readonly #after: readonly Uint8Array[];

  constructor(nodes: readonly FormatNode[], context: FormatContext) {
    this.waitsForEnd = nodes.some((node) => node.kind === 'variable' && node.variable.known === 'end');
    const texts = [''];
    const steps: Step[] = [];
    for (const node of nodes) {
      if (node.kind === 'text') texts[texts.length - 1] += node.text;
      else {
        steps.push(variableStep(node.variable, node.flags, context));
        texts.push('');
      }
    }
    const [before, ...after] = texts.map(latin1) as [Uint8Array, ...Uint8Array[]];
    this.#before = before;
    this.#steps = steps;
    this.#after = after;
  }

  render(record: LogRecord, out: Uint8Array, offset: number): number {
    const steps = this.#steps;
    let end = writeBytes(out, offset, this.#before, 0, this.#before.length);
    for (let index = 0; index < steps.length; index++) {
      end = steps[index](record, out, end);
      const text = this.#after[index];
      for (let at = 0; at < text.length; at++) out[end++] = text[at];
    }
    return Math.min(end, out.length);
  }
}

function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function constantStep(text: string): Step {
  const bytes = latin1(text);
  return (_record, out, offset) => writeBytes(out, offset, bytes, 0, bytes.length);
}

function variableStep(variable: Variable, flags: FormatFlags, context: FormatContext): Step {
  switch (variable.kind) {
    case 'integer':
    case 'plus-integer':
      return integerStep(variable.name, flags, context);
    case 'text':
      return textStep(texts[variable.name] ?? (() => context.hostname), flags);
    case 'address':
      return flags.hexadecimal ? hexAddressStep(variable.name, flags) : textStep(addresses[variable.name], flags);
    case 'port':
      return portStep(variable.name, flags);
    case 'date':
      return dateStep(variable.name, context.zone);
    case 'request':
      return requestStep(variable.name as RequestPart, flags);
    case 'termination':
      return terminationStep(variable.name === 'tsc');
    case 'retries':
      return (record, out, offset) =>
        writeInteger(out, record.redispatched ? writeText(out, offset, '+') : offset, record.retries);
    case 'absent-text':
    case 'nothing':
      return constantStep(emptyText(flags));
  }
}

function emptyText(flags: FormatFlags): string {
  return flags.quote ? '""' : flags.mandatory ? '-' : '';
}

const texts: Readonly<Record<string, (record: LogRecord) => string>> = {
  b: (record) => record.backendName,
  f: (record) => record.frontendName,
  ft: (record) => record.frontendName,
  s: (record) => record.serverName,
};

const addresses: Readonly<Record<string, (record: LogRecord) => string>> = {
  bi: (record) => record.backendHost,
  ci: (record) => record.clientHost,
  fi: (record) => record.frontendHost,
  si: (record) => record.serverHost,
};

function textStep(read: (record: LogRecord) => string, flags: FormatFlags): Step {
  const empty = emptyText(flags);
  if (!flags.quote && !flags.escape) return (record, out, offset) => writeText(out, offset, read(record) || empty);
  return (record, out, offset) => {
    const text = read(record);
    if (text === '') return writeText(out, offset, empty);
    let end = flags.quote ? writeText(out, offset, '"') : offset;
    end = flags.escape ? writeEscapedText(out, end, text) : writeText(out, end, text);
    return flags.quote ? writeText(out, end, '"') : end;
  };
}

/** Hexadecimal is a number to HAProxy: never quoted. */
function hexAddressStep(name: string, flags: FormatFlags): Step {
  const host = addresses[name];
  const empty = emptyText(flags);
  return (record, out, offset) => writeText(out, offset, hexAddress(host(record)) || empty);
}

const ports: Readonly<Record<string, (record: LogRecord) => number>> = {
  bp: (record) => record.backendPort,
  cp: (record) => record.clientPort,
  fp: (record) => record.frontendPort,
  sp: (record) => record.serverPort,
};

/** A port without an address prints as an empty text; with one it is a number and never quoted. */
function portStep(name: string, flags: FormatFlags): Step {
  const host = addresses[`${name[0]}i`];
  const port = ports[name];
  const empty = emptyText(flags);
  return (record, out, offset) => {
    if (host(record) === '') return writeText(out, offset, empty);
    return flags.hexadecimal ? writeHex(out, offset, port(record), 4) : writeInteger(out, offset, port(record));
  };
}

/** One step each, with its own property access: a shared step that asks a function costs twice. */
const integers: Readonly<Record<string, Step>> = {
  B: (record, out, at) => writeInteger(out, plus(record, out, at), record.bytesRead),
  ST: (record, out, at) => writeInteger(out, at, record.status),
  Ta: (record, out, at) => writeInteger(out, plus(record, out, at), record.activeMs),
  Tc: (record, out, at) => writeInteger(out, at, record.connectMs),
  Td: (record, out, at) => writeInteger(out, at, record.dataMs),
  Th: (record, out, at) => writeInteger(out, at, record.handshakeMs),
  Ti: (record, out, at) => writeInteger(out, at, record.idleMs),
  Tq: (record, out, at) => writeInteger(out, at, requestTotalMs(record)),
  TR: (record, out, at) => writeInteger(out, at, record.requestMs),
  Tr: (record, out, at) => writeInteger(out, at, record.responseMs),
  Ts: (record, out, at) => writeInteger(out, at, Math.floor(record.acceptedWallMs / 1000)),
  Tt: (record, out, at) => writeInteger(out, plus(record, out, at), record.totalMs),
  Tu: (record, out, at) => writeInteger(out, plus(record, out, at), record.totalMs - Math.max(0, record.idleMs)),
  Tw: (record, out, at) => writeInteger(out, at, record.queueMs),
  U: (record, out, at) => writeInteger(out, at, record.bytesUploaded),
  ac: (record, out, at) => writeInteger(out, at, record.activeConnections),
  bc: (record, out, at) => writeInteger(out, at, record.backendConnections),
  bq: (record, out, at) => writeInteger(out, at, record.backendQueue),
  fc: (record, out, at) => writeInteger(out, at, record.frontendConnections),
  ms: (record, out, at) => writePadded(out, at, millisecond(record), 3),
  rt: (record, out, at) => writeInteger(out, at, record.requestCounter),
  sc: (record, out, at) => writeInteger(out, at, record.serverConnections),
  sq: (record, out, at) => writeInteger(out, at, record.serverQueue),
};

const hexadecimals: Readonly<Record<string, Step>> = {
  Ts: (record, out, at) => writeHex(out, at, Math.floor(record.acceptedWallMs / 1000), 4),
  ms: (record, out, at) => writeHex(out, at, millisecond(record), 2),
  rt: (record, out, at) => writeHex(out, at, record.requestCounter, 4),
};

function integerStep(name: string, flags: FormatFlags, context: FormatContext): Step {
  if (name === 'pid')
    return constantStep(
      flags.hexadecimal ? context.pid.toString(16).toUpperCase().padStart(4, '0') : String(context.pid),
    );
  if (name === 'lc') {
    let written = 0;
    return (_record, out, offset) => writeInteger(out, offset, written++);
  }
  return (flags.hexadecimal ? hexadecimals[name] : undefined) ?? integers[name];
}

/** The sign before totals that are still growing (`option logasap`). */
function plus(record: LogRecord, out: Uint8Array, offset: number): number {
  return record.asap ? writeText(out, offset, '+') : offset;
}

function millisecond(record: LogRecord): number {
  return Math.floor(record.acceptedWallMs) % 1000;
}

function requestTotalMs(record: LogRecord): number {
  return record.idleMs < 0 || record.requestMs < 0 ? -1 : record.handshakeMs + record.idleMs + record.requestMs;
}

function dateStep(name: string, zone: ZoneOffset): Step {
  const withMs = name === 't' || name === 'tr';
  const dates: Dates = new DateBytes(withMs ? 'log' : 'log-zone', name === 'T' || name === 'trg' ? utc : zone);
  const ofRequest = name.startsWith('tr');
  return (record, out, offset) => {
    const wallMs = ofRequest ? record.requestWallMs : record.acceptedWallMs;
    const end = dates.write(out, offset, wallMs);
    return withMs ? writePadded(out, writeText(out, end, '.'), Math.floor(wallMs) % 1000, 3) : end;
  };
}

function requestStep(part: RequestPart, flags: FormatFlags): Step {
  return (record, out, offset) => {
    let end = flags.quote ? writeText(out, offset, '"') : offset;
    if (record.requestEnd === record.requestStart) {
      end = writeText(out, end, '<BADREQ>');
    } else {
      locate(record, part);
      end = writeEncoded(out, end, record.requestBytes, located.start, located.end, flags.escape);
    }
    return flags.quote ? writeText(out, end, '"') : end;
  };
}

/** The two characters for cookies are always '-': no cookie is configured (manual 8.5). */
function terminationStep(withCookies: boolean): Step {
  return (record, out, offset) => {
    const end = writeText(out, writeText(out, offset, record.terminationCause), record.terminationState);
    return withCookies ? writeText(out, end, '--') : end;
  };
}
