/** The arguments of `balance` and `hash-type` (manual 4.2). */
import type { BalanceSetting, HashTypeSetting, Placed } from './config.ts';
import type { Statement } from './statement.ts';

const algorithms = ['roundrobin', 'static-rr', 'leastconn', 'first', 'source', 'uri', 'hdr', 'random'] as const;

/** Algorithms of HAProxy that Evergate doesn't have yet. */
const laterAlgorithms = ['url_param', 'rdp-cookie', 'hash', 'log-hash', 'sticky', 'log-sticky'];

export function readBalance(statement: Statement): Placed<BalanceSetting> {
  // Without an algorithm HAProxy takes round robin.
  const word = statement.take() ?? { text: 'roundrobin', place: statement.place };
  const bracket = /^([a-z_-]+)\((.*)\)$/.exec(word.text);
  const name = bracket?.[1] ?? word.text;
  if (laterAlgorithms.includes(name))
    throw statement.refusal(
      'unsupported-word',
      word.place,
      `'balance ${name}' is not supported yet.`,
      `use ${algorithms.join(', ')}`,
    );
  const algorithm = statement.choice(algorithms, { text: name, place: word.place }).value;
  const setting = {
    algorithm,
    uriWhole: false,
    uriLength: 0,
    uriDepth: 0,
    uriPathOnly: false,
    headerName: '',
    headerDomainOnly: false,
    randomDraws: 2,
  };
  if (bracket !== null && algorithm !== 'hdr' && algorithm !== 'random')
    throw statement.refusal('bad-value', word.place, `'balance ${algorithm}' takes no argument in parentheses.`);
  if (algorithm === 'uri') readUriArguments(statement, setting);
  if (algorithm === 'hdr') {
    setting.headerName = bracket?.[2] ?? '';
    if (setting.headerName === '')
      throw statement.refusal(
        'missing-argument',
        word.place,
        "'balance hdr(name)' requires an http header field name.",
      );
    setting.headerDomainOnly = statement.accept('use_domain_only');
  }
  if (algorithm === 'random' && bracket?.[2] !== undefined) {
    setting.randomDraws = /^[1-9][0-9]{0,4}$/.test(bracket[2]) ? Number(bracket[2]) : 0;
    if (setting.randomDraws === 0)
      throw statement.refusal('bad-value', word.place, "'balance random(<draws>)' expects a positive number of draws.");
  }
  return { value: setting, place: word.place };
}

function readUriArguments(
  statement: Statement,
  setting: { uriWhole: boolean; uriLength: number; uriDepth: number; uriPathOnly: boolean },
): void {
  for (let word = statement.peek(); word !== undefined; word = statement.peek()) {
    if (statement.accept('whole')) setting.uriWhole = true;
    else if (statement.accept('path-only')) setting.uriPathOnly = true;
    else if (statement.accept('len')) setting.uriLength = statement.integer('a length', 0).value;
    else if (statement.accept('depth')) setting.uriDepth = statement.integer('a depth', 0).value;
    else throw statement.unknownChoice(word, ['whole', 'len', 'depth', 'path-only']);
  }
}

/** Manual 4.2 hash-type: `consistent` alone mixes the bits (avalanche), a named function does so only when told. */
export function readHashType(statement: Statement): Placed<HashTypeSetting> {
  const place = statement.peek()?.place ?? statement.place;
  const method = statement.choice(['map-based', 'consistent']).value;
  if (statement.peek() === undefined)
    return { value: { method, function: undefined, avalanche: method === 'consistent' }, place };
  // `none` came with HAProxy 2.7.
  const hashFunction = statement.choice(['sdbm', 'djb2', 'wt6', 'crc32', 'none']).value;
  const modifier = statement.take();
  if (modifier !== undefined) statement.choice(['avalanche'], modifier);
  return { value: { method, function: hashFunction, avalanche: modifier !== undefined }, place };
}
