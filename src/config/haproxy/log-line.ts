/** The arguments of a `log` line (manual 4.2 log), the same in `global` and in proxies. */
import { type LogLine, type SyslogFormatName, syslogFormats } from './config.ts';
import type { Statement } from './statement.ts';
import { isWrong, parseAddress } from './values.ts';

export const syslogFacilities = [
  'kern', 'user', 'mail', 'daemon', 'auth', 'syslog', 'lpr', 'news', 'uucp', 'cron', 'auth2', 'ftp', 'ntp', 'audit', 'alert', 'cron2',
  'local0', 'local1', 'local2', 'local3', 'local4', 'local5', 'local6', 'local7',
] as const; // biome-ignore format: the order is the facility's number

export const syslogLevels = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

/** HAProxy's MAX_SYSLOG_LEN and the shortest and longest that `len` takes. */
const lengthDefault = 1024;
const lengthMin = 80;
const lengthMax = 65_535;

export function readLogLine(statement: Statement): LogLine {
  const target = statement.expect('<address> and <facility> as arguments');
  const address = logAddress(statement, target.text, target.place);
  let length = lengthDefault;
  let format: SyslogFormatName | undefined;
  let sample: LogLine['sample'];
  for (;;) {
    if (statement.accept('len')) length = statement.integer('a length', lengthMin, lengthMax).value;
    else if (statement.accept('format')) format = statement.choice(syslogFormats).value;
    else if (statement.accept('sample')) sample = readSample(statement);
    else break;
  }
  const facility = statement.choice(syslogFacilities, statement.expect('a facility such as local0')).value;
  const level = optionalLevel(statement) ?? 7;
  const minLevel = optionalLevel(statement) ?? 0;
  return {
    address,
    length,
    format,
    sample,
    facility: syslogFacilities.indexOf(facility),
    level,
    minLevel,
    place: target.place,
  };
}

function optionalLevel(statement: Statement): number | undefined {
  const word = statement.take();
  return word === undefined ? undefined : syslogLevels.indexOf(statement.choice(syslogLevels, word).value);
}

function logAddress(statement: Statement, text: string, place: Statement['place']): LogLine['address'] {
  if (text === 'stdout' || text === 'fd@1') return { kind: 'fd', fd: 1 };
  if (text === 'stderr' || text === 'fd@2') return { kind: 'fd', fd: 2 };
  const scheme = /^([a-z0-9]+)@/.exec(text)?.[1];
  if (scheme === 'ring' || scheme === 'fd')
    throw statement.refusal(
      'unsupported-word',
      place,
      `log to '${scheme}@' is not supported yet.`,
      'log to an address, a socket path, stdout or stderr',
    );
  const address = parseAddress(
    text.replace(/^udp([46]?)@/, (_, digit: string) => (digit === '' ? '' : `ipv${digit}@`)),
  );
  if (isWrong(address)) throw statement.wrong({ text, place }, address);
  if (
    address.kind === 'inet' &&
    address.port !== undefined &&
    (address.port.relative || address.port.first !== address.port.last)
  )
    throw statement.refusal('bad-value', place, `'log' expects one port, not '${text}'.`);
  return address;
}

/** `sample 1,3-4:10`: lines 1, 3 and 4 of every 10. */
function readSample(statement: Statement): NonNullable<LogLine['sample']> {
  const word = statement.expect('<ranges>:<size>');
  const match = /^([0-9,-]+):([0-9]{1,9})$/.exec(word.text);
  const size = Number(match?.[2]);
  const ranges: (readonly [number, number])[] = [];
  let last = 0;
  for (const part of match?.[1]?.split(',') ?? []) {
    const range = /^([0-9]{1,9})(?:-([0-9]{1,9}))?$/.exec(part);
    const low = Number(range?.[1]);
    const high = range?.[2] === undefined ? low : Number(range[2]);
    if (!(low > last && high >= low && high <= size)) {
      ranges.length = 0;
      break;
    }
    ranges.push([low, high]);
    last = high;
  }
  if (ranges.length === 0)
    throw statement.refusal(
      'bad-value',
      word.place,
      `'sample' expects ascending ranges within a size, such as 1,3-4:10, not '${word.text}'.`,
    );
  return { ranges, size };
}
