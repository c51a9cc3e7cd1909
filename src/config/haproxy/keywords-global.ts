/** Keywords of the `global` section (manual 3) that Evergate acts on. */
import type { GlobalSettings } from './config.ts';
import { type Keyword, sections, supported } from './keyword.ts';
import { readLogLine } from './log-line.ts';
import type { Statement } from './statement.ts';

/** Threads at most: HAProxy 2.6 on 64-bit machines (MAX_THREADS). */
const threadsMax = 64;

/** CPUs that `cpu-map` can name, HAProxy's LONGBITS on 64-bit machines. */
const cpusMax = 64;

/** What `global`'s keywords are read into. */
export interface GlobalTarget {
  readonly settings: GlobalSettings;
  /** Environment variables as the following lines see them. */
  readonly variables: Map<string, string>;
}

const g = sections('g');

export const globalKeywords: readonly Keyword<GlobalTarget>[] = [
  number('maxconn', '<number>', 'as many as descriptors allow', 'connections of the whole process', 0, 'maxconn'),
  number('nbthread', '<number>', 'one a CPU', 'worker threads', 1, 'nbthread', threadsMax),
  number('ulimit-n', '<number>', 'computed from maxconn', 'file descriptors of the process', 0, 'ulimitN'),
  number(
    'spread-checks',
    '<0..50>',
    '0',
    'random part added to check intervals, in percent',
    0,
    'spreadChecksPercent',
    50,
  ),
  number(
    'tune.bufsize',
    '<bytes>',
    '16384',
    'buffer size; with tune.maxrewrite it bounds the size of a head',
    1024,
    'bufferBytes',
    16_777_216,
  ),
  number(
    'tune.maxrewrite',
    '<bytes>',
    '1024',
    'part of the buffer that is kept free for added headers',
    0,
    'maxRewriteBytes',
    16_777_216,
  ),
  number('tune.http.maxhdr', '<1..32767>', '101', 'header fields in a message at most', 1, 'headerFieldsMax', 32_767),
  number('uid', '<number>', 'unchanged', 'user id to run as', 0, 'uid'),
  number('gid', '<number>', 'unchanged', 'group id to run as', 0, 'gid'),
  time('hard-stop-after', 'never', 'longest time a soft stop may take', 'hardStopAfterMs'),
  time('grace', '0', 'time between the order to stop softly and the closing of the listeners', 'graceMs'),
  time('max-spread-checks', 'no limit', 'longest time added or left out by spread-checks', 'maxSpreadChecksMs'),
  text('pidfile', '<file>', 'none', 'file that receives the process id', 'pidfile'),
  text('user', '<name>', 'unchanged', 'user to run as', 'user'),
  text('group', '<name>', 'unchanged', 'group to run as', 'group'),
  text('node', '<name>', "the machine's name", 'name of this node', 'node'),
  text('log-tag', '<text>', 'haproxy', 'program name in log lines', 'logTag'),
  flag('daemon', 'run in the background', 'daemon'),
  flag('quiet', 'print nothing at start but errors', 'quiet'),
  flag('zero-warning', 'refuse to start when there is a warning', 'zeroWarning'),
  {
    word: 'master-worker',
    sections: g,
    arguments: '',
    default: 'off',
    meaning: 'a supervisor that watches the workers: always so here',
    support: supported,
    read: (statement) => {
      if (statement.peek()?.text === 'no-exit-on-failure')
        throw statement.refusal(
          'unsupported-word',
          statement.peek()!.place,
          "'no-exit-on-failure' is not supported yet.",
          'remove it: a worker that crashes is replaced, the others go on',
        );
    },
  },
  {
    word: 'chroot',
    sections: g,
    arguments: '<directory>',
    default: 'none',
    meaning: 'not done, with a warning: the process reads its files again at a reload',
    support: supported,
    read: (statement) => {
      const directory = statement.string('<directory> as an argument');
      statement.warn(
        'ignored',
        statement.place,
        `'chroot ${directory.value}' is not done: Evergate reads its configuration and its own code again at a reload, from outside.`,
        'remove the line; systemd can confine the process instead (ProtectSystem=strict, as in the unit that Evergate ships)',
      );
    },
  },
  ...tlsDefaults(),
  {
    word: 'description',
    sections: g,
    arguments: '<text>',
    default: 'none',
    meaning: 'text that describes this instance',
    support: supported,
    read: (statement, target) => {
      const first = statement.string('a text');
      const words = [first.value];
      for (let word = statement.take(); word !== undefined; word = statement.take()) words.push(word.text);
      target.settings.description = { value: words.join(' '), place: first.place };
    },
  },
  {
    word: 'log-send-hostname',
    sections: g,
    arguments: '[<text>]',
    default: 'not sent',
    meaning: "the host name in log lines: this text, or the machine's name",
    support: supported,
    read: (statement, target) => {
      const word = statement.take();
      target.settings.logSendHostname = { value: word?.text ?? '', place: word?.place ?? statement.place };
    },
  },
  {
    word: 'log',
    sections: g,
    arguments: '<address> [len <n>] [format <f>] [sample <ranges>:<n>] <facility> [<level> [<minlevel>]]',
    default: 'none',
    meaning: 'a log server for process messages and for the proxies with `log global`',
    support: supported,
    negatable: true,
    read: (statement, target) => {
      if (statement.prefix === 'no') target.settings.logs.length = 0;
      else if (statement.peek()?.text === 'global')
        throw statement.refusal(
          'bad-value',
          statement.peek()!.place,
          "'log global' is not allowed in the 'global' section.",
        );
      else target.settings.logs.push(readLogLine(statement));
    },
  },
  {
    word: 'cpu-map',
    sections: g,
    arguments: '[auto:]<thread-set> <cpu-set>…',
    default: 'every CPU for every thread',
    meaning: 'binds worker threads to CPUs',
    support: supported,
    read: readCpuMap,
  },
  environment(
    'setenv',
    '<name> <value>',
    'sets an environment variable for the following lines',
    (s, { variables }) => {
      const name = s.string('a name and a value');
      variables.set(name.value, s.string('a name and a value').value);
    },
  ),
  environment('presetenv', '<name> <value>', 'as setenv, unless the variable is set', (s, { variables }) => {
    const name = s.string('a name and a value').value;
    const value = s.string('a name and a value').value;
    if (!variables.has(name)) variables.set(name, value);
  }),
  environment('unsetenv', '<name>…', 'removes environment variables', (s, { variables }) => {
    for (let word = s.take(); word !== undefined; word = s.take()) variables.delete(word.text);
  }),
  environment('resetenv', '[<name>…]', 'removes all environment variables but these', (s, { variables }) => {
    const kept = new Set<string>();
    for (let word = s.take(); word !== undefined; word = s.take()) kept.add(word.text);
    for (const name of [...variables.keys()]) if (!kept.has(name)) variables.delete(name);
  }),
];

/**
 * Defaults of TLS sockets. Debian's own haproxy.cfg has them, whether or not a line uses TLS. A line that does (`ssl`) is refused, so
 * here they have nothing to act on, as in HAProxy with such a file.
 */
function tlsDefaults(): Keyword<GlobalTarget>[] {
  const rows: Readonly<Record<string, string>> = {
    'ca-base': '<directory>',
    'crt-base': '<directory>',
    'ssl-default-bind-ciphers': '<ciphers>',
    'ssl-default-bind-ciphersuites': '<ciphersuites>',
    'ssl-default-bind-curves': '<curves>',
    'ssl-default-bind-options': '<option>…',
    'ssl-default-server-ciphers': '<ciphers>',
    'ssl-default-server-ciphersuites': '<ciphersuites>',
    'ssl-default-server-options': '<option>…',
    'ssl-dh-param-file': '<file>',
    'tune.ssl.default-dh-param': '<number>',
  };
  return Object.entries(rows).map(([word, argument]) => ({
    word,
    sections: g,
    arguments: argument,
    meaning: 'a default of TLS sockets: nothing to act on while `ssl` is not supported',
    support: supported,
    read: (statement, target) => {
      statement.expect(`${argument} as an argument`);
      while (statement.take() !== undefined);
      // Said once: Debian's file has five of them.
      if (target.settings.tlsDefaults !== undefined) return;
      target.settings.tlsDefaults = { value: true, place: statement.place };
      statement.notice(
        'ignored',
        statement.place,
        `'${word}' and other defaults for TLS have nothing to act on: TLS is not supported yet, and lines that use it are refused.`,
      );
    },
  }));
}

function environment(
  word: string,
  argument: string,
  meaning: string,
  read: (statement: Statement, target: GlobalTarget) => void,
): Keyword<GlobalTarget> {
  return { word, sections: g, arguments: argument, meaning, support: supported, read };
}

type NumberField = {
  [key in keyof GlobalSettings]-?: GlobalSettings[key] extends { value: number } | undefined ? key : never;
}[keyof GlobalSettings];
type TextField = {
  [key in keyof GlobalSettings]-?: GlobalSettings[key] extends { value: string } | undefined ? key : never;
}[keyof GlobalSettings];
type FlagField = {
  [key in keyof GlobalSettings]-?: GlobalSettings[key] extends { value: boolean } | undefined ? key : never;
}[keyof GlobalSettings];

function number(
  word: string,
  argument: string,
  fallback: string,
  meaning: string,
  min: number,
  field: NumberField,
  max?: number,
): Keyword<GlobalTarget> {
  return {
    word,
    sections: g,
    arguments: argument,
    default: fallback,
    meaning,
    support: supported,
    read: (statement, target) => {
      target.settings[field] = statement.integer('an integer argument', min, max);
    },
  };
}

function time(word: string, fallback: string, meaning: string, field: NumberField): Keyword<GlobalTarget> {
  return {
    word,
    sections: g,
    arguments: '<time>',
    default: fallback,
    meaning,
    support: supported,
    read: (statement, target) => {
      target.settings[field] = statement.time('a time in milliseconds');
    },
  };
}

function text(
  word: string,
  argument: string,
  fallback: string,
  meaning: string,
  field: TextField,
): Keyword<GlobalTarget> {
  return {
    word,
    sections: g,
    arguments: argument,
    default: fallback,
    meaning,
    support: supported,
    read: (statement, target) => {
      target.settings[field] = statement.string(`${argument} as an argument`);
    },
  };
}

function flag(word: string, meaning: string, field: FlagField): Keyword<GlobalTarget> {
  return {
    word,
    sections: g,
    arguments: '',
    default: 'off',
    meaning,
    support: supported,
    read: (statement, target) => {
      target.settings[field] = { value: true, place: statement.place };
    },
  };
}

/** Manual 3.1 cpu-map: `[auto:]<thread-set> <cpu-set>…`, sets are `all`, `odd`, `even`, `N` or `N-M`; processes are gone, so `1/…` only. */
function readCpuMap(statement: Statement, target: GlobalTarget): void {
  const word = statement.expect('a thread set and a CPU set');
  const auto = word.text.startsWith('auto:');
  const set = word.text.replace(/^auto:/, '').replace(/^(?:1|all)\//, '');
  const threads = word.text.includes('/') ? numberRange(set, 1, threadsMax) : processSet(set);
  if (threads === undefined)
    throw statement.refusal(
      'bad-value',
      word.place,
      `'cpu-map' expects a thread set such as 1/all or 1/1-4, not '${word.text}'.`,
    );
  const cpus: number[] = [];
  do {
    const cpuWord = statement.expect('a CPU set such as 0 or 0-3');
    for (const part of cpuWord.text.split(',')) {
      const range = numberRange(part, 0, cpusMax - 1);
      if (range === undefined)
        throw statement.refusal('bad-value', cpuWord.place, `'cpu-map' expects CPUs such as 0 or 0-3, not '${part}'.`);
      for (let cpu = range[0]; cpu <= range[1]; cpu++) cpus.push(cpu);
    }
  } while (statement.peek() !== undefined);
  target.settings.cpuMaps.push({ threads, auto, cpus, place: statement.place });
}

/** Without a slash the set names processes; there is one, and the map counts for all of its threads. */
function processSet(set: string): readonly [number, number] | undefined {
  return set === '1' || set === 'all' || set === 'odd' || numberRange(set, 1, threadsMax)?.[0] === 1
    ? [1, threadsMax]
    : undefined;
}

function numberRange(text: string, min: number, max: number): readonly [number, number] | undefined {
  if (text === 'all') return [min, max];
  const match = /^([0-9]{1,4})(?:-([0-9]{0,4}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = match[2] === undefined ? first : match[2] === '' ? max : Number(match[2]);
  return first >= min && last <= max && first <= last ? [first, last] : undefined;
}
