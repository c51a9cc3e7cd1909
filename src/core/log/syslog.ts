/**
 * Syslog messages as HAProxy frames them (configuration manual, `log`): header in one of eight formats, text, newline.
 * One framer a target and thread: it filters by level, samples, cuts to `len`, and keeps its header for the second.
 */
import { DateBytes, type ZoneOffset } from './dates.ts';
import { writeBytes, writeInteger, writePadded, writeText } from './write.ts';

/** RFC 5424 §6.2.1, table 2; the names are HAProxy's. */
export const severities = {
  emerg: 0,
  alert: 1,
  crit: 2,
  err: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
} as const;
export type Severity = (typeof severities)[keyof typeof severities];

/** Facilities by number, with HAProxy's names. */
export const facilities: readonly string[] = [
  ...['kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'auth2', 'ftp'],
  ...['ntp', 'audit', 'alert', 'cron2', 'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7'],
];

export type FrameFormat = 'rfc3164' | 'rfc5424' | 'local' | 'priority' | 'short' | 'timed' | 'iso' | 'raw';

/** What a framer needs to know of a log target; the plan's LogTarget has it all. */
export interface FrameTarget {
  readonly facility: number;
  readonly level: number;
  readonly minLevel: number;
  readonly format: FrameFormat;
  readonly length: number;
  readonly tag: string;
  /** Empty without `log-send-hostname`: rfc3164 then says `localhost` and rfc5424 `-`. */
  readonly hostname: string;
  readonly sample: { readonly ranges: readonly (readonly [number, number])[]; readonly size: number } | undefined;
}

const newline = 0x0a;

/** Priority, date, process id and punctuation of the longest header, with room to spare. */
const fixedHeaderBytes = 80;

export class SyslogFramer {
  readonly #target: FrameTarget;
  readonly #pid: number;
  readonly #date: DateBytes;
  /** Position in the sampling period, from 1; 0 before the first line. */
  #sampled = 0;
  /** The header last written, for its second and level; formats with microseconds are written anew each time. */
  readonly #header: Uint8Array;
  #headerLength = 0;
  #headerSecond = Number.NaN;
  #headerLevel = -1;

  constructor(target: FrameTarget, pid: number, zone: ZoneOffset) {
    this.#target = target;
    this.#pid = pid;
    this.#header = new Uint8Array(fixedHeaderBytes + target.hostname.length + target.tag.length);
    this.#date = new DateBytes(target.format === 'local' || target.format === 'rfc3164' ? 'syslog' : 'iso', zone);
  }

  /**
   * Decides whether a line of this level goes to this target, and counts it for sampling: ask once a line.
   */
  accepts(level: Severity): boolean {
    const { sample, level: least } = this.#target;
    if (level > least) return false;
    if (sample === undefined) return true;
    this.#sampled = this.#sampled >= sample.size ? 1 : this.#sampled + 1;
    return sample.ranges.some(([low, high]) => this.#sampled >= low && this.#sampled <= high);
  }

  /**
   * Writes the whole message at `offset` and returns its end. The message without its newline is at most `len` bytes long:
   * `out` needs room for `len` + 1 bytes.
   * @param wallMs the time of sending, milliseconds since 1970, with fraction where known.
   */
  frame(
    level: Severity,
    wallMs: number,
    text: Uint8Array,
    start: number,
    end: number,
    out: Uint8Array,
    offset: number,
  ): number {
    const textStart = this.begin(level, wallMs, out, offset);
    const room = Math.max(offset + this.#target.length - textStart, 0);
    return this.finish(out, offset, writeBytes(out, textStart, text, start, Math.min(end, start + room)));
  }

  /** Writes what stands before the text, which may then be written at once where it belongs: returns the place. */
  begin(level: Severity, wallMs: number, out: Uint8Array, offset: number): number {
    return this.#copyHeader(out, offset, Math.max(level, this.#target.minLevel), wallMs);
  }

  /** Ends the message that begins at `offset`, and whose text ends at `textEnd`. Returns the end. */
  finish(out: Uint8Array, offset: number, textEnd: number): number {
    const end = Math.min(textEnd, offset + this.#target.length);
    out[end] = newline;
    return end + 1;
  }

  #copyHeader(out: Uint8Array, offset: number, level: number, wallMs: number): number {
    const { format } = this.#target;
    if (format === 'rfc5424' || format === 'timed' || format === 'iso')
      return this.#writeHeader(out, offset, level, wallMs);
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#headerSecond || level !== this.#headerLevel) {
      this.#headerSecond = second;
      this.#headerLevel = level;
      this.#headerLength = this.#writeHeader(this.#header, 0, level, wallMs);
    }
    return writeBytes(out, offset, this.#header, 0, this.#headerLength);
  }

  #writeHeader(out: Uint8Array, offset: number, level: number, wallMs: number): number {
    const { format, facility, tag, hostname } = this.#target;
    let end = offset;
    if (format === 'raw') return end;
    if (format !== 'iso') {
      end = writeText(out, end, '<');
      end = writeInteger(out, end, format === 'short' || format === 'timed' ? level : facility * 8 + level);
      end = writeText(out, end, '>');
    }
    switch (format) {
      case 'priority':
      case 'short':
        return end;
      case 'timed':
      case 'iso':
        return writeText(out, this.#writeIsoDate(out, end, wallMs), ' ');
      case 'rfc5424':
        end = writeText(out, this.#writeIsoDate(out, writeText(out, end, '1 '), wallMs), ' ');
        end = writeText(out, writeText(out, end, hostname === '' ? '-' : hostname), ' ');
        end = writeText(out, writeText(out, end, tag), ' ');
        return writeText(out, writeInteger(out, end, this.#pid), ' - - ');
      case 'local':
      case 'rfc3164':
        end = writeText(out, this.#date.write(out, end, wallMs), ' ');
        if (format === 'rfc3164')
          end = writeText(out, writeText(out, end, hostname === '' ? 'localhost' : hostname), ' ');
        end = writeText(out, writeText(out, end, tag), '[');
        return writeText(out, writeInteger(out, end, this.#pid), ']: ');
    }
  }

  /** `2026-11-22T07:53:52.846839+00:00` */
  #writeIsoDate(out: Uint8Array, offset: number, wallMs: number): number {
    let end = writeText(out, this.#date.write(out, offset, wallMs), '.');
    end = writePadded(out, end, Math.floor(wallMs * 1000) % 1_000_000, 6);
    return this.#date.writeZone(out, end, ':');
  }
}
