/** Values as HAProxy writes them: numbers, times (manual 2.5), sizes, addresses (manual 11). Each function answers with the value or with what is wrong. */
import type { IpFamily } from '../../core/address.ts';
import type { PortRange, WrittenAddress } from './config.ts';

/** What was expected instead, in words that follow "expects". */
export interface Wrong {
  readonly wrong: string;
  /** HAProxy knows it, Evergate doesn't yet: what it is. */
  readonly unsupported?: string;
}

export function isWrong(value: unknown): value is Wrong {
  return typeof value === 'object' && value !== null && 'wrong' in value;
}

/** A decimal integer from `min` to `max`. */
export function parseInteger(text: string, min: number, max: number): number | Wrong {
  const value = /^[+-]?[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  if (max >= 2 ** 31 - 1) return { wrong: min === 0 ? 'a non-negative integer' : `an integer of at least ${min}` };
  return { wrong: `an integer from ${min} to ${max}` };
}

/** A timer's longest value: HAProxy counts milliseconds in a signed 32-bit integer, about 24.8 days. */
const timeMsMax = 2 ** 31 - 1;

const unitMs: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * A time in milliseconds, rounded up; the unit is us, ms, s, m, h or d, and milliseconds when none is written.
 * HAProxy 2.6 takes letters behind a unit (`15min`) with a warning; `timeRemainder` tells them.
 */
export function parseTime(text: string): number | Wrong {
  const match = timePattern.exec(text);
  if (match === null) return { wrong: 'a time such as 500ms, 10s, 5m, 1h or 2d (milliseconds without a unit)' };
  const ms = Number(match[1]) * unitMs[match[2] ?? 'ms']!;
  if (ms > timeMsMax) return { wrong: `at most ${timeMsMax} ms, about 24.8 days` };
  return Math.ceil(ms);
}

const timePattern = /^([0-9]{1,15})(?:(us|ms|s|m|h|d)(.*))?$/;

/** What stands behind the unit of a time and isn't read; '' when nothing does. */
export function timeRemainder(text: string): string {
  return timePattern.exec(text)?.[3] ?? '';
}

/** A size with an optional unit k, m or g (powers of 1024); bytes. */
export function parseSize(text: string, min: number, max: number): number | Wrong {
  const match = /^([0-9]{1,12})([kKmMgG])?$/.exec(text);
  const unit = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[match?.[2]?.toLowerCase() ?? ''] ?? 1;
  const bytes = match === null ? Number.NaN : Number(match[1]) * unit;
  return bytes >= min && bytes <= max ? bytes : { wrong: `a size from ${min} to ${max} bytes` };
}

/**
 * An address of a `bind`, `server`, `log`, … line: `[family@]host[:port[-port]]`, `/path`, `unix@path`, `abns@name`.
 * The last colon separates the port, so `:::80` is port 80 on `::` (manual 4.2 bind).
 */
export function parseAddress(text: string): WrittenAddress | Wrong {
  const match = /^([a-z0-9+]+)@(.*)$/.exec(text);
  const scheme = match?.[1];
  const rest = match?.[2] ?? text;
  if (scheme === undefined) return rest.startsWith('/') ? unixAddress(rest) : inetAddress(rest, undefined);
  switch (scheme) {
    case 'ipv4':
      return inetAddress(rest, 'ipv4');
    case 'ipv6':
      return inetAddress(rest, 'ipv6');
    case 'unix':
      return unixAddress(rest);
    case 'abns':
      return rest === '' ? { wrong: 'a name after abns@' } : unixAddress(`\0${rest}`);
    default:
      return laterSchemes.includes(scheme)
        ? { wrong: 'an address', unsupported: `address prefix '${scheme}@'` }
        : { wrong: "an address, perhaps after 'ipv4@', 'ipv6@', 'unix@' or 'abns@'" };
  }
}

const laterSchemes = [
  'abnsz',
  'fd',
  'quic4',
  'quic6',
  'ring',
  'rev',
  'rhttp',
  'sockpair',
  'stderr',
  'stdout',
  'udp',
  'udp4',
  'udp6',
  'tcp',
  'tcp4',
  'tcp6',
  'mptcp',
  'mptcp4',
  'mptcp6',
];

/** sun_path holds 108 bytes with the final NUL (unix(7)). */
const unixPathBytesMax = 107;

function unixAddress(path: string): WrittenAddress | Wrong {
  if (path === '' || path === '\0') return { wrong: 'a path after unix@' };
  if (path.length > unixPathBytesMax) return { wrong: `a socket path of at most ${unixPathBytesMax} bytes` };
  return { kind: 'unix', path };
}

function inetAddress(text: string, family: IpFamily | undefined): WrittenAddress | Wrong {
  const bracket = /^\[([^\]]*)\](?::(.*))?$/.exec(text);
  let host: string;
  let portText: string | undefined;
  if (bracket !== null) {
    host = bracket[1]!;
    portText = bracket[2];
  } else {
    const colon = text.lastIndexOf(':');
    host = colon < 0 ? text : text.slice(0, colon);
    portText = colon < 0 ? undefined : text.slice(colon + 1);
  }
  if (portText === undefined || portText === '') return { kind: 'inet', host, family, port: undefined };
  const port = parsePorts(portText);
  return isWrong(port) ? port : { kind: 'inet', host, family, port };
}

function parsePorts(text: string): PortRange | Wrong {
  const match = /^([+-]?)([0-9]{1,5})(?:-([0-9]{1,5}))?$/.exec(text);
  const first = Number(match?.[2]);
  const last = match?.[3] === undefined ? first : Number(match[3]);
  if (match === null || first > 65_535 || last > 65_535 || first > last)
    return { wrong: 'a port from 0 to 65535 or a range first-last behind the last colon' };
  const sign = match[1] === '-' ? -1 : 1;
  return { first: sign * first, last: sign * last, relative: match[1] !== '' };
}
