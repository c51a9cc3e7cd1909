/** Keywords of `resolvers` sections (manual 5.3.2). */
import { type HoldState, holdStates, type ResolversSection } from './config.ts';
import { type Keyword, sections, supported } from './keyword.ts';
import type { Statement } from './statement.ts';

export const resolversKeywords: readonly Keyword<ResolversSection>[] = [
  row('nameserver', '<name> <address>[:<port>]', 'none', 'a DNS server', (s, { nameservers }) => {
    const name = s.string('<name> and <addr>[:<port>] as arguments');
    const written = s.expect('<name> and <addr>[:<port>] as arguments');
    if (written.text.startsWith('tcp'))
      throw s.refusal(
        'unsupported-word',
        written.place,
        `'nameserver' : TCP ('${written.text}') is not supported yet.`,
      );
    const address = s.addressOf({
      text: written.text.replace(/^udp([46]?)@/, (_, d: string) => (d === '' ? '' : `ipv${d}@`)),
      place: written.place,
    }).value;
    if (address.kind !== 'inet' || /[^0-9a-fA-F.:]/.test(address.host))
      throw s.refusal('bad-value', written.place, `'nameserver' expects an IP address, not '${written.text}'.`);
    if (address.port === undefined || address.port.relative || address.port.first !== address.port.last)
      throw s.refusal(
        'bad-value',
        written.place,
        `'nameserver' : missing port specification in '${written.text}'.`,
        `write '${address.host}:53'`,
      );
    const before = nameservers.find((one) => one.name === name.value);
    if (before !== undefined)
      throw s.refusal(
        'duplicate',
        name.place,
        `nameserver '${name.value}' was already defined at line ${before.place.line}.`,
      );
    nameservers.push({ name: name.value, address, place: s.place });
  }),
  row('parse-resolv-conf', '', 'off', 'takes the DNS servers of /etc/resolv.conf', (s, { settings }) => {
    settings.parseResolvConf = { value: true, place: s.place };
  }),
  row(
    'resolve_retries',
    '<number>',
    '3',
    'queries that are sent before a name server counts as silent',
    (s, { settings }) => {
      settings.resolveRetries = s.integer('a number', 1);
    },
  ),
  row('timeout resolve', '<time>', '1s', 'time between two resolutions', (s, { settings }) => {
    settings.timeoutResolveMs = s.time('a time', 1);
  }),
  row('timeout retry', '<time>', '1s', 'time between two queries without an answer', (s, { settings }) => {
    settings.timeoutRetryMs = s.time('a time', 1);
  }),
  row(
    'accepted_payload_size',
    '<512..65535>',
    '512',
    'longest answer over UDP; has no effect, with a notice: longer ones are asked for over TCP',
    (s) => {
      s.integer('a size', 512, 65_535);
      s.notice('ignored', s.place, "'accepted_payload_size' has no effect: longer answers are asked for over TCP.");
    },
  ),
  ...holdStates.map(hold),
];

function hold(state: HoldState): Keyword<ResolversSection> {
  const fallback = state === 'valid' ? '10s' : state === 'obsolete' ? '0' : '30s';
  return row(
    `hold ${state}`,
    '<time>',
    fallback,
    `how long the last address is kept after the answer '${state}'`,
    (s, { settings }) => {
      settings.holdMs[state] = s.time('a time');
    },
  );
}

function row(
  word: string,
  argument: string,
  fallback: string,
  meaning: string,
  read: (statement: Statement, target: ResolversSection) => void,
): Keyword<ResolversSection> {
  return { word, sections: sections('r'), arguments: argument, default: fallback, meaning, support: supported, read };
}
