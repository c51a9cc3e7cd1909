/** Arguments of a `bind` line (manual 5.1). */
import type { BindSettings, Placed } from './config.ts';
import { type ArgumentKeyword, laterArguments, supported } from './keyword.ts';
import type { Statement } from './statement.ts';

export const bindKeywords: readonly ArgumentKeyword<BindSettings>[] = [
  value('name', '<name>', 'none', 'name of the socket in statistics', (s, t) => (t.name = s.string('a name'))),
  value(
    'maxconn',
    '<number>',
    "the frontend's",
    'connections of this socket at once',
    (s, t) => (t.maxconn = s.integer('a number', 0)),
  ),
  value(
    'backlog',
    '<number>',
    "the frontend's",
    "length of the kernel's queue",
    (s, t) => (t.backlog = s.integer('a number', 0)),
  ),
  value(
    'interface',
    '<name>',
    'any',
    'network interface that connections must come in by',
    (s, t) => (t.interface = s.string('an interface name')),
  ),
  value(
    'tcp-ut',
    '<time>',
    "the kernel's",
    'TCP_USER_TIMEOUT: how long sent data may stay unacknowledged',
    (s, t) => (t.tcpUserTimeoutMs = s.time('a time')),
  ),
  value('mode', '<octal>', "the process's umask", "unix socket: the file's mode", (s, t) => (t.mode = octal(s))),
  value(
    'user',
    '<name>',
    "the process's",
    "unix socket: the file's owner",
    (s, t) => (t.user = s.string('a user name')),
  ),
  value(
    'uid',
    '<number>',
    "the process's",
    "unix socket: the file's owner by id",
    (s, t) => (t.uid = s.integer('a user id', 0)),
  ),
  value(
    'group',
    '<name>',
    "the process's",
    "unix socket: the file's group",
    (s, t) => (t.group = s.string('a group name')),
  ),
  value(
    'gid',
    '<number>',
    "the process's",
    "unix socket: the file's group by id",
    (s, t) => (t.gid = s.integer('a group id', 0)),
  ),
  flag('v4v6', 'an IPv6 socket that also takes IPv4', (t, place) => (t.v6only = { value: false, place })),
  flag('v6only', 'an IPv6 socket that takes only IPv6', (t, place) => (t.v6only = { value: true, place })),
  flag(
    'transparent',
    'binds to an address that the machine may not have (yet)',
    (t, place) => (t.transparent = { value: true, place }),
  ),
  flag(
    'defer-accept',
    'takes a connection only once it has sent something',
    (t, place) => (t.deferAccept = { value: true, place }),
  ),
  ...laterArguments<BindSettings>(0, {
    'accept-proxy': 'expects the PROXY protocol',
    'allow-0rtt': 'TLS early data',
    'force-sslv3': 'TLS version',
    'force-tlsv10': 'TLS version',
    'force-tlsv11': 'TLS version',
    'force-tlsv12': 'TLS version',
    'force-tlsv13': 'TLS version',
    'generate-certificates': 'makes certificates by SNI',
    'no-alpn (2.7)': 'TLS ALPN',
    'no-ca-names': 'TLS client certificates',
    'no-sslv3': 'TLS version',
    'no-tls-tickets': 'TLS session tickets',
    'no-tlsv10': 'TLS version',
    'no-tlsv11': 'TLS version',
    'no-tlsv12': 'TLS version',
    'no-tlsv13': 'TLS version',
    'no-strict-sni (3.1)': 'TLS SNI',
    'prefer-client-ciphers': 'TLS ciphers',
    'quic-force-retry': 'QUIC',
    ssl: 'TLS on this socket',
    'strict-sni': 'TLS SNI',
    tfo: 'TCP fast open',
  }),
  ...laterArguments<BindSettings>(1, {
    'accept-netscaler-cip': 'NetScaler client address header',
    alpn: 'TLS ALPN',
    'ca-file': 'TLS client certificates',
    'ca-ignore-err': 'TLS client certificates',
    'ca-sign-file': 'TLS certificate generation',
    'ca-sign-pass': 'TLS certificate generation',
    'ca-verify-file': 'TLS client certificates',
    'cc (3.2)': 'congestion control',
    ciphers: 'TLS ciphers',
    ciphersuites: 'TLS ciphers',
    'client-sigalgs (2.8)': 'TLS signatures',
    'crl-file': 'TLS revocation',
    crt: 'TLS certificate',
    'crt-ignore-err': 'TLS client certificates',
    'crt-list': 'TLS certificates',
    curves: 'TLS curves',
    ecdhe: 'TLS curves',
    'expose-fd': 'passes listeners on',
    'guid-prefix (3.0)': 'stable identifiers',
    id: 'numeric id of the socket',
    level: 'rights of a statistics socket',
    mss: 'TCP maximum segment size',
    namespace: 'network namespace',
    'nbconn (2.9)': 'reverse HTTP connections',
    nice: 'priority of the connections',
    npn: 'TLS NPN',
    'ocsp-update (3.0)': 'TLS OCSP',
    process: 'threads that serve the socket',
    proto: 'forced protocol (h1, h2)',
    'quic-cc-algo': 'QUIC congestion control',
    'quic-socket (2.7)': 'QUIC sockets',
    'severity-output': 'statistics socket messages',
    shards: 'several sockets for one address',
    'sigalgs (2.8)': 'TLS signatures',
    'ssl-max-ver': 'TLS version',
    'ssl-min-ver': 'TLS version',
    thread: 'threads that serve the socket',
    'tls-ticket-keys': 'TLS session tickets',
    verify: 'TLS client certificates',
  }),
];

function octal(statement: Statement): Placed<number> {
  const word = statement.expect('an octal file mode');
  if (!/^[0-7]{1,4}$/.test(word.text))
    throw statement.refusal(
      'bad-value',
      word.place,
      `'mode' expects an octal file mode such as 660, not '${word.text}'.`,
    );
  return { value: Number.parseInt(word.text, 8), place: word.place };
}

function value(
  word: string,
  argument: string,
  fallback: string,
  meaning: string,
  read: (statement: Statement, target: BindSettings) => unknown,
): ArgumentKeyword<BindSettings> {
  return { word, arguments: argument, default: fallback, meaning, support: supported, read: (s, t) => void read(s, t) };
}

function flag(
  word: string,
  meaning: string,
  read: (target: BindSettings, place: Statement['place']) => unknown,
): ArgumentKeyword<BindSettings> {
  return { word, arguments: '', meaning, support: supported, read: (_, t, k) => void read(t, k.place) };
}
