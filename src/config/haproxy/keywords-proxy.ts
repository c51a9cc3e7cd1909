/** Keywords of `defaults`, `frontend`, `backend` and `listen` (manual 4) that Evergate acts on, but options, checks and logs. */

import { readArguments } from './arguments.ts';
import { readBalance, readHashType } from './balance-line.ts';
import type {
  BindSettings,
  Placed,
  ProxyKind,
  ProxySettings,
  ServerLine,
  ServerSettings,
  TimeoutName,
  WrittenAddress,
} from './config.ts';
import { type Keyword, sections, supported } from './keyword.ts';
import { bindKeywords } from './keywords-bind.ts';
import { serverKeywords } from './keywords-server.ts';
import { readSource } from './source-argument.ts';
import type { Statement } from './statement.ts';
import { isWrong, parseAddress } from './values.ts';

/** What a proxy's keywords are read into. */
export interface ProxyTarget {
  readonly kind: ProxyKind;
  readonly settings: ProxySettings;
  /** Log lines that `global` had so far. */
  readonly globalLogLines: number;
}

type ProxyKeyword = Keyword<ProxyTarget>;

/** Statuses for which HAProxy 2.6 lets a file replace its own page (manual 4.2 errorfile). */
const errorFileStatuses = [
  200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 421, 422, 425, 429, 500, 501, 502, 503, 504,
];

const connectTimeout = 'longest wait for a connection to a server';

export const proxyKeywords: readonly ProxyKeyword[] = [
  row('mode', 'dflb', 'http|tcp', 'tcp', 'protocol of the proxy', (s, { settings }) => {
    const word = s.peek();
    if (word?.text === 'log' || word?.text === 'spop')
      throw s.refusal(
        'unsupported-word',
        word.place,
        `'mode ${word.text}' is not supported yet.`,
        "use 'mode http' or 'mode tcp'",
      );
    settings.mode = s.choice(['http', 'tcp']);
  }),
  row('bind', 'fl', '<address>[:<port-range>][,…] [<option>…]', 'none', 'addresses to listen on', readBind),
  row('server', 'lb', '<name> <address>[:<port>] [<option>…]', 'none', 'a server', (s, t) =>
    readServer(s, t, undefined),
  ),
  row(
    'server-template',
    'lb',
    '<prefix> <count|first-last> <name>[:<port>] [<option>…]',
    'none',
    'a row of servers whose addresses come from one name',
    (s, t) => {
      const prefix = s.string('<prefix> <num | range> <address> as arguments');
      const numbers = readNumbers(s);
      readServer(s, t, { prefix, numbers });
    },
  ),
  row('default-server', 'dlb', '<option>…', 'none', 'settings of all servers that follow', (s, { settings }) => {
    settings.serverDefaults = { ...settings.serverDefaults };
    readArguments(s, serverKeywords, settings.serverDefaults, 'default-server');
  }),
  row(
    'default_backend',
    'dfl',
    '<backend>',
    'none',
    'backend of requests for which no rule chose one',
    (s, { settings }) => {
      settings.defaultBackend = s.string('a backend name');
    },
  ),
  row('use_backend', 'fl', '<backend>', 'none', 'backend, without a condition yet', (s, { settings }) => {
    const name = s.string('a backend name');
    if (name.value.includes('%['))
      throw s.refusal('unsupported-word', name.place, 'a backend name from an expression is not supported yet.');
    s.end();
    settings.useBackends.push(name);
  }),
  row('maxconn', 'dfl', '<number>', "the process's", 'connections of the frontend at once', (s, { settings }) => {
    settings.maxconn = s.integer('an integer argument', 0);
  }),
  row('backlog', 'dfl', '<number>', 'maxconn', "length of the kernel's queue of new connections", (s, { settings }) => {
    settings.backlog = s.integer('a number', 0);
  }),
  row(
    'fullconn',
    'dlb',
    '<number>',
    '10% of the maxconn of its frontends',
    'load at which minconn has grown to maxconn',
    (s, { settings }) => {
      settings.fullconn = s.integer('an integer argument', 0);
    },
  ),
  row('retries', 'dlb', '<number>', '3', 'attempts to connect after the first', (s, { settings }) => {
    settings.retries = s.integer('a number', 0, 65_535);
  }),
  row('balance', 'dlb', '<algorithm> [<argument>…]', 'roundrobin', 'how a server is chosen', (s, { settings }) => {
    settings.balance = readBalance(s);
  }),
  row(
    'hash-type',
    'dlb',
    '<method> [<function> [<modifier>]]',
    'map-based sdbm',
    'how a hash becomes a server',
    (s, { settings }) => {
      settings.hashType = readHashType(s);
    },
  ),
  row(
    'hash-balance-factor',
    'dlb',
    '<percent>',
    '0 = off',
    'bound of the load of one server with consistent hashing',
    (s, { settings }) => {
      const factor = s.integer('an integer argument', 0);
      if (factor.value !== 0 && factor.value <= 100)
        throw s.refusal('bad-value', factor.place, "'hash-balance-factor' must be 0 or greater than 100.");
      settings.hashBalanceFactor = factor;
    },
  ),
  row(
    'http-reuse',
    'dlb',
    'never|safe|aggressive|always',
    'safe',
    'which requests may use an idle server connection',
    (s, { settings }) => {
      settings.reuse = s.choice(['never', 'safe', 'aggressive', 'always']);
    },
  ),
  row(
    'source',
    'dlb',
    '<address>[:<port>]',
    'chosen by the kernel',
    'local address of the connections to servers',
    (s, { settings }) => {
      settings.source = readSource(s);
    },
  ),
  row(
    'errorfile',
    'dflb',
    '<status> <file>',
    'built-in pages',
    'file with the complete answer for a status',
    (s, { settings }) => {
      const status = s.integer('<status_code> and <file> as arguments', 0, 999);
      const path = s.string('<file> as second argument');
      if (!errorFileStatuses.includes(status.value))
        throw s.refusal(
          'bad-value',
          status.place,
          `status code '${status.value}' not handled by 'errorfile'.`,
          `the statuses are ${errorFileStatuses.join(', ')}`,
        );
      settings.errorFiles.push({ status: status.value, path: path.value, place: path.place });
    },
  ),
  row(
    'monitor-uri',
    'dfl',
    '<uri>',
    'none',
    'URI that is answered with 200 and neither forwarded nor logged',
    (s, { settings }) => {
      settings.monitorUri = s.string('an URI');
    },
  ),
  row('disabled', 'dflb', '', 'enabled', 'the proxy does nothing', (s, { settings }) => {
    settings.disabled = { value: true, place: s.place };
  }),
  row('enabled', 'dflb', '', 'enabled', 'undoes a `disabled` of the defaults', (s, { settings }) => {
    settings.disabled = { value: false, place: s.place };
  }),
  row('description', 'flb', '<text>', 'none', 'text that describes the proxy', (s, { settings }) => {
    const first = s.string('a description string');
    const words = [first.value];
    for (let word = s.take(); word !== undefined; word = s.take()) words.push(word.text);
    settings.description = { value: words.join(' '), place: first.place };
  }),
  timeout('client', 'dfl', 'client', 'longest silence of a client'),
  timeout('client-fin', 'dfl', 'clientFin', 'as timeout client, once one direction is closed', 'timeout client'),
  timeout('http-request', 'dflb', 'httpRequest', 'longest time for a complete request head', 'timeout client'),
  timeout('http-keep-alive', 'dflb', 'httpKeepAlive', 'longest wait for the next request', 'timeout http-request'),
  timeout('connect', 'dlb', 'connect', connectTimeout),
  timeout('queue', 'dlb', 'queue', 'longest wait in a queue', 'timeout connect'),
  timeout('server', 'dlb', 'server', 'longest silence of a server'),
  timeout('server-fin', 'dlb', 'serverFin', 'as timeout server, once one direction is closed', 'timeout server'),
  timeout('tunnel', 'dlb', 'tunnel', 'longest silence of both sides of a tunnel', 'timeouts client and server'),
  timeout('check', 'dlb', 'check', 'longest wait for the answer to a health check', 'inter'),
  timeout('tarpit', 'dflb', 'tarpit', 'how long a tarpitted request is held', 'timeout connect'),
];

function row(
  word: string,
  letters: string,
  argument: string,
  fallback: string,
  meaning: string,
  read: (statement: Statement, target: ProxyTarget) => void,
): ProxyKeyword {
  return {
    word,
    sections: sections(letters),
    arguments: argument,
    default: fallback,
    meaning,
    support: supported,
    read,
  };
}

function timeout(word: string, letters: string, name: TimeoutName, meaning: string, fallback = 'none'): ProxyKeyword {
  return row(`timeout ${word}`, letters, '<time>', fallback, meaning, (s, { settings }) => {
    settings.timeouts[name] = s.time('an integer value (in milliseconds)');
  });
}

// ---------------------------------------------------------------- bind

function readBind(statement: Statement, target: ProxyTarget): void {
  const word = statement.expect('<[addr]:port> or </path> as first argument');
  const addresses: Placed<WrittenAddress>[] = [];
  for (const part of word.text.split(',')) addresses.push(bindAddress(statement, part, word.place));
  const settings: BindSettings = {};
  readArguments(statement, bindKeywords, settings, 'bind');
  target.settings.binds.push({ addresses, settings, place: statement.place });
}

function bindAddress(statement: Statement, text: string, place: Statement['place']): Placed<WrittenAddress> {
  const address = parseAddress(text);
  if (isWrong(address)) throw statement.wrong({ text, place }, address);
  if (address.kind === 'inet') {
    if (address.port === undefined || (address.port.first === 0 && !address.port.relative))
      throw statement.refusal(
        'bad-value',
        place,
        `'bind' : missing port specification in '${text}'.`,
        'write <address>:<port>, :<port> for every address, or /path for a unix socket',
      );
    if (address.port.relative)
      throw statement.refusal('bad-value', place, `'bind' : port offset not allowed in '${text}'.`);
  }
  return { value: address, place };
}

// ---------------------------------------------------------------- server

/** Servers that one `server-template` can make; HAProxy has no bound, a plan needs one. */
const templateServersMax = 4096;

function readNumbers(statement: Statement): readonly [number, number] {
  const word = statement.expect('a number of servers or a range such as 1-10');
  const match = /^([0-9]{1,6})(?:-([0-9]{1,6}))?$/.exec(word.text);
  const first = match?.[2] === undefined ? 1 : Number(match[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (!(first <= last && last - first < templateServersMax))
    throw statement.refusal(
      'bad-value',
      word.place,
      `'server-template' expects a number or an ascending range of at most ${templateServersMax} servers, not '${word.text}'.`,
    );
  return [first, last];
}

function readServer(
  statement: Statement,
  { settings }: ProxyTarget,
  template: { prefix: Placed<string>; numbers: readonly [number, number] } | undefined,
): void {
  const name = template?.prefix ?? statement.string('<name> and <addr>[:<port>] as arguments');
  const invalid = /[^A-Za-z0-9_:.-]/.exec(name.value)?.[0];
  if (invalid !== undefined)
    throw statement.refusal(
      'bad-value',
      name.place,
      `character '${invalid}' is not permitted in server name '${name.value}'.`,
    );
  const address = statement.address('<name> and <addr>[:<port>] as arguments');
  if (
    address.value.kind === 'inet' &&
    address.value.port !== undefined &&
    address.value.port.first !== address.value.port.last
  )
    throw statement.refusal(
      'bad-value',
      address.place,
      `'${statement.keyword}' : port ranges are not allowed for servers.`,
    );
  const own: ServerSettings = {};
  readArguments(statement, serverKeywords, own, statement.keyword);
  const line: ServerLine = {
    name,
    address,
    numbers: template?.numbers,
    settings: own,
    defaults: settings.serverDefaults,
    place: statement.place,
  };
  settings.servers.push(line);
}
