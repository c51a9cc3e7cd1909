/** Keywords of proxies about logs (manual 8) that Evergate acts on. */
import type { LogFormatSetting, SwitchName } from './config.ts';
import { type Keyword, sections, supported } from './keyword.ts';
import type { ProxyTarget } from './keywords-proxy.ts';
import { readLogLine } from './log-line.ts';
import type { Statement } from './statement.ts';

export const logKeywords: readonly Keyword<ProxyTarget>[] = [
  {
    word: 'log',
    sections: sections('dflb'),
    arguments: 'global | <address> [len <n>] [format <f>] [sample <ranges>:<n>] <facility> [<level> [<minlevel>]]',
    default: 'none',
    meaning: 'where log lines go',
    support: supported,
    negatable: true,
    read: (s, { settings, globalLogLines }) => {
      if (s.prefix === 'default') throw s.refusal('bad-value', s.place, "'default' is not supported before 'log'.");
      if (s.prefix === 'no') settings.logs.push({ kind: 'none' });
      else if (s.accept('global')) settings.logs.push({ kind: 'global', count: globalLogLines, place: s.place });
      else settings.logs.push({ kind: 'line', line: readLogLine(s) });
    },
  },
  {
    word: 'log-format',
    sections: sections('dfl'),
    arguments: '<format>',
    default: 'the short line',
    meaning: 'own format of log lines',
    support: supported,
    read: (s, target) => {
      const text = s.string('an argument');
      setFormat(s, target, { kind: 'custom', text: text.value }, text.place);
    },
  },
  {
    word: 'log-tag',
    sections: sections('dflb'),
    arguments: '<text>',
    default: "the global section's",
    meaning: 'program name in log lines',
    support: supported,
    read: (s, { settings }) => {
      settings.logTag = s.string('a tag for use in syslog');
    },
  },
  {
    word: 'option httplog',
    sections: sections('dfl'),
    arguments: '[clf]',
    default: 'the short line',
    meaning: "HAProxy's HTTP log line, or the Common Log Format",
    support: supported,
    read: (s, target) => setFormat(s, target, { kind: s.accept('clf') ? 'httplog-clf' : 'httplog' }, s.place),
  },
  {
    word: 'option tcplog',
    sections: sections('dfl'),
    arguments: '',
    default: 'the short line',
    meaning: "HAProxy's TCP log line",
    support: supported,
    read: (s, target) => setFormat(s, target, { kind: 'tcplog' }, s.place),
  },
  onOff('dontlognull', 'dfl', 'no line for connections without data'),
  onOff('dontlog-normal', 'dfl', 'no line for what went well'),
  onOff('logasap', 'dfl', 'logs when the answer begins, not when it ends'),
  onOff('log-separate-errors', 'dfl', 'logs errors at level err'),
  onOff('log-health-checks', 'dlb', 'logs every change of a check result'),
];

function setFormat(
  statement: Statement,
  { settings }: ProxyTarget,
  value: LogFormatSetting,
  place: Statement['place'],
): void {
  const before = settings.logFormat;
  if (before !== undefined && before.value.kind !== value.kind)
    statement.warn(
      'conflict',
      statement.place,
      `'${statement.keyword}' overrides previous '${describe(before.value)}' of line ${before.place.line}.`,
    );
  settings.logFormat = { value, place };
}

function describe(format: LogFormatSetting): string {
  if (format.kind === 'custom') return 'log-format';
  return format.kind === 'httplog-clf' ? 'option httplog clf' : `option ${format.kind}`;
}

function onOff(name: SwitchName, letters: string, meaning: string): Keyword<ProxyTarget> {
  return {
    word: `option ${name}`,
    sections: sections(letters),
    arguments: '',
    default: 'off',
    meaning,
    support: supported,
    negatable: true,
    read: (s, { settings }) => {
      settings.switches[name] = { value: s.prefix === undefined, place: s.place };
    },
  };
}
