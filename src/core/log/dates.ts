/**
 * Dates for log lines, written as bytes and kept for the second: under load thousands of lines share one.
 * The zone comes in as a function, because the core knows no system.
 */
import { writeBytes, writePadded, writeText } from './write.ts';

/** Minutes that local time is ahead of UTC at that wall-clock time (milliseconds since 1970): 60 in Paris in winter. */
export type ZoneOffset = (wallMs: number) => number;

export const utc: ZoneOffset = () => 0;

/**
 * - `log`: `06/Feb/2009:12:14:14`
 * - `log-zone`: the same with ` +0100`
 * - `syslog`: `Feb  6 12:14:14` (RFC 3164 §4.1.2)
 * - `iso`: `2009-02-06T12:14:14` (RFC 3339, without fraction and zone)
 */
export type DateStyle = 'log' | 'log-zone' | 'syslog' | 'iso';

/** One date in one style and zone, remembered for its second. */
export class DateBytes {
  readonly #style: DateStyle;
  readonly #zone: ZoneOffset;
  readonly #bytes = new Uint8Array(40);
  #length = 0;
  #second = Number.NaN;
  /** The zone is asked again every quarter of an hour: zones change their offset at no finer step. */
  #quarter = Number.NaN;
  #offsetMinutes = 0;

  constructor(style: DateStyle, zone: ZoneOffset) {
    this.#style = style;
    this.#zone = zone;
  }

  write(out: Uint8Array, offset: number, wallMs: number): number {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.#second) this.#renew(second);
    return writeBytes(out, offset, this.#bytes, 0, this.#length);
  }

  /** The zone of the date last written, as `+01:00`. */
  writeZone(out: Uint8Array, offset: number, separator: ':' | ''): number {
    const minutes = Math.abs(this.#offsetMinutes);
    let end = writeText(out, offset, this.#offsetMinutes < 0 ? '-' : '+');
    end = writePadded(out, end, Math.floor(minutes / 60), 2);
    end = writeText(out, end, separator);
    return writePadded(out, end, minutes % 60, 2);
  }

  #renew(second: number): void {
    const quarter = Math.floor(second / 900);
    if (quarter !== this.#quarter) {
      this.#quarter = quarter;
      this.#offsetMinutes = this.#zone(second * 1000);
    }
    this.#second = second;
    const local = second + this.#offsetMinutes * 60;
    const date = civilDate(Math.floor(local / 86_400));
    const time = local - Math.floor(local / 86_400) * 86_400;
    this.#length = this.#writeDate(date, time);
  }

  #writeDate(date: CivilDate, time: number): number {
    const out = this.#bytes;
    const month = months[date.month - 1];
    let end = 0;
    if (this.#style === 'syslog') {
      end = writeText(out, 0, `${month} ${date.day < 10 ? ' ' : ''}${date.day} `);
    } else if (this.#style === 'iso') {
      end = writePadded(out, end, date.year, 4);
      end = writePadded(out, writeText(out, end, '-'), date.month, 2);
      end = writePadded(out, writeText(out, end, '-'), date.day, 2);
      end = writeText(out, end, 'T');
    } else {
      end = writePadded(out, end, date.day, 2);
      end = writeText(out, end, `/${month}/`);
      end = writePadded(out, end, date.year, 4);
      end = writeText(out, end, ':');
    }
    end = writePadded(out, end, Math.floor(time / 3600), 2);
    end = writePadded(out, writeText(out, end, ':'), Math.floor(time / 60) % 60, 2);
    end = writePadded(out, writeText(out, end, ':'), time % 60, 2);
    return this.#style === 'log-zone' ? this.writeZone(out, writeText(out, end, ' '), '') : end;
  }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

interface CivilDate {
  readonly year: number;
  readonly month: number; // 1..12
  readonly day: number; // 1..31
}

/** Proleptic Gregorian date of a count of days since 1970-01-01: years counted from March, in eras of 400 years. */
function civilDate(days: number): CivilDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}
