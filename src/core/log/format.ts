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

class StepFormat implements LogFormat {
  readonly waitsForEnd: boolean;
  readonly #steps: readonly Step[];

  constructor(nodes: readonly FormatNode[], context: FormatContext) {
    this.waitsForEnd = nodes.some((node) => node.kind === 'variable' && node.variable.known === 'end');
    this.#steps = nodes.map((node) =>
      node.kind === 'text' ? constantStep(node.text) : variableStep(node.variable, node.flags, context),
    );
  }

  render(record: LogRecord, out: Uint8Array, offset: number): number {
    const steps = this.#steps;
    let end = offset;
    for (let index = 0; index < steps.length; index++) end = steps[index](record, out, end);
    return Math.min(end, out.length);
  }
}

function constantStep(text: string): Step {
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
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
      return textStep(
        flags.hexadecimal ? (record) => hexAddress(addresses[variable.name](record)) : addresses[variable.name],
        flags,
      );
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
  return (record, out, offset) => {
    const text = read(record);
    if (text === '') return writeText(out, offset, empty);
    let end = flags.quote ? writeText(out, offset, '"') : offset;
    end = flags.escape ? writeEscapedText(out, end, text) : writeText(out, end, text);
    return flags.quote ? writeText(out, end, '"') : end;
  };
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

const integers: Readonly<Record<string, (record: LogRecord) => number>> = {
  B: (record) => record.bytesRead,
  ST: (record) => record.status,
  Ta: (record) => record.activeMs,
  Tc: (record) => record.connectMs,
  Td: (record) => record.dataMs,
  Th: (record) => record.handshakeMs,
  Ti: (record) => record.idleMs,
  Tq: (record) =>
    record.idleMs < 0 || record.requestMs < 0 ? -1 : record.handshakeMs + record.idleMs + record.requestMs,
  TR: (record) => record.requestMs,
  Tr: (record) => record.responseMs,
  Ts: (record) => Math.floor(record.acceptedWallMs / 1000),
  Tt: (record) => record.totalMs,
  Tu: (record) => record.totalMs - Math.max(0, record.idleMs),
  Tw: (record) => record.queueMs,
  U: (record) => record.bytesUploaded,
  ac: (record) => record.activeConnections,
  bc: (record) => record.backendConnections,
  bq: (record) => record.backendQueue,
  fc: (record) => record.frontendConnections,
  rt: (record) => record.requestCounter,
  sc: (record) => record.serverConnections,
  sq: (record) => record.serverQueue,
};

function integerStep(name: string, flags: FormatFlags, context: FormatContext): Step {
  const milliseconds = (record: LogRecord) => Math.floor(record.acceptedWallMs) % 1000;
  if (name === 'pid') {
    const text = flags.hexadecimal ? context.pid.toString(16).toUpperCase().padStart(4, '0') : String(context.pid);
    return constantStep(text);
  }
  if (name === 'ms')
    return flags.hexadecimal
      ? (record, out, offset) => writeHex(out, offset, milliseconds(record), 2)
      : (record, out, offset) => writePadded(out, offset, milliseconds(record), 3);
  if (name === 'lc') {
    let written = 0;
    return (_record, out, offset) => writeInteger(out, offset, written++);
  }
  const read = integers[name];
  if (flags.hexadecimal && (name === 'Ts' || name === 'rt'))
    return (record, out, offset) => writeHex(out, offset, read(record), 4);
  if (name === 'B' || name === 'Ta' || name === 'Tt' || name === 'Tu')
    return (record, out, offset) => writeInteger(out, record.asap ? writeText(out, offset, '+') : offset, read(record));
  return (record, out, offset) => writeInteger(out, offset, read(record));
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
