/** Keywords of health checks (manual 4.2: option httpchk, option tcp-check, http-check) that Evergate acts on. */
import type { ExpectLine, HttpCheckLine } from './config.ts';
import { type Keyword, sections, supported } from './keyword.ts';
import type { ProxyTarget } from './keywords-proxy.ts';
import type { Statement } from './statement.ts';

const dlb = sections('dlb');

export const checkKeywords: readonly Keyword<ProxyTarget>[] = [
  {
    word: 'option httpchk',
    sections: dlb,
    arguments: '[<uri> | <method> <uri> [<version>]]',
    default: 'OPTIONS / HTTP/1.0',
    meaning: 'health checks send an HTTP request',
    support: supported,
    read: (s, { settings }) => {
      settings.checkKind = { value: 'http', place: s.place };
      settings.httpCheckOption = readHttpchk(s);
    },
  },
  {
    word: 'option tcp-check',
    sections: dlb,
    arguments: '',
    default: 'on',
    meaning: 'health checks connect, and that is all',
    support: supported,
    read: (s, { settings }) => {
      settings.checkKind = { value: 'tcp', place: s.place };
    },
  },
  {
    word: 'http-check send',
    sections: dlb,
    arguments: '[meth <method>] [uri <uri>] [ver <version>] [hdr <name> <value>]… [body <text>]',
    default: "option httpchk's request",
    meaning: 'the request of an HTTP check',
    support: supported,
    read: (s, { settings }) => {
      // HAProxy 2.6 takes one request for each check, and it comes before what is expected of the answer.
      if (settings.httpCheckSend !== undefined || settings.httpCheckExpect.length > 0)
        throw s.refusal(
          'conflict',
          s.place,
          "'http-check send' : unable to add http-check send rule at step 2 (missing connect rule).",
          "write one 'http-check send' with everything, above 'http-check expect'",
        );
      settings.httpCheckSend = readSend(s);
    },
  },
  {
    word: 'http-check expect',
    sections: dlb,
    arguments: '[!] status|rstatus|string|rstring <pattern>',
    default: 'status 200-399',
    meaning: 'what the answer to an HTTP check must be',
    support: supported,
    read: (s, { settings }) => {
      settings.httpCheckExpect.push(readExpect(s));
    },
  },
];

/** One argument is a URI; the method comes first only when there are two. Everything after the URI is version and old-style headers. */
function readHttpchk(statement: Statement): HttpCheckLine {
  const first = statement.take();
  const second = statement.take();
  if (first === undefined || second === undefined)
    return {
      method: undefined,
      uri: first?.text,
      version: undefined,
      headers: [],
      body: undefined,
      place: statement.place,
    };
  const third = statement.take();
  const { version, headers, body } = oldStyleHeaders(statement, third?.text ?? '', third?.place ?? statement.place);
  return { method: first.text, uri: second.text, version, headers, body, place: statement.place };
}

/** `HTTP/1.1\r\nHost:\ name`: headers hidden in the version, deprecated since HAProxy 2.2 but everywhere in the wild. */
function oldStyleHeaders(
  statement: Statement,
  text: string,
  place: Statement['place'],
): { version: string | undefined; headers: HttpCheckLine['headers']; body: string | undefined } {
  if (text === '') return { version: undefined, headers: [], body: undefined };
  const lineEnd = text.indexOf('\r\n');
  const version = lineEnd < 0 ? text : text.slice(0, lineEnd);
  if (lineEnd < 0) return { version, headers: [], body: undefined };
  statement.warn(
    'risky',
    place,
    'hiding headers or body at the end of the version string is deprecated.',
    "write them with 'http-check send hdr <name> <value>'",
  );
  const bodyStart = text.indexOf('\r\n\r\n');
  const head = text.slice(lineEnd + 2, bodyStart < 0 ? undefined : Math.max(bodyStart, lineEnd + 2));
  const headers = head
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':');
      if (colon < 1) throw statement.refusal('bad-value', place, `'option httpchk' : '${line}' is not a header line.`);
      return { name: line.slice(0, colon), value: line.slice(colon + 1).trim() };
    });
  const body = bodyStart < 0 ? '' : text.slice(bodyStart + 4);
  return { version, headers, body: body === '' ? undefined : body };
}

function readSend(statement: Statement): HttpCheckLine {
  let method: string | undefined;
  let uri: string | undefined;
  let version: string | undefined;
  let body: string | undefined;
  const headers: { name: string; value: string }[] = [];
  for (let word = statement.peek(); word !== undefined; word = statement.peek()) {
    if (statement.accept('meth')) method = statement.expect("a string after 'meth'").text;
    else if (statement.accept('uri')) uri = statement.expect("a string after 'uri'").text;
    else if (statement.accept('ver')) version = statement.expect("a string after 'ver'").text;
    else if (statement.accept('body')) body = statement.expect("a string after 'body'").text;
    else if (statement.accept('hdr')) {
      const name = statement.expect("a name and a value after 'hdr'");
      const value = statement.expect("a name and a value after 'hdr'");
      if (value.text.includes('%['))
        throw statement.refusal(
          'unsupported-word',
          value.place,
          'expressions in the headers of a check are not supported yet.',
        );
      headers.push({ name: name.text, value: value.text });
    } else if (word.text === 'uri-lf' || word.text === 'body-lf' || word.text === 'comment')
      throw statement.refusal(
        'unsupported-word',
        word.place,
        `'http-check send' : '${word.text}' is not supported yet.`,
      );
    else throw statement.unknownChoice(word, ['meth', 'uri', 'ver', 'hdr', 'body']);
  }
  return { method, uri, version, headers, body, place: statement.place };
}

const laterExpect = [
  'min-recv',
  'comment',
  'ok-status',
  'error-status',
  'tout-status',
  'on-success',
  'on-error',
  'status-code',
  'hdr',
  'fhdr',
  'string-lf',
];

function readExpect(statement: Statement): ExpectLine {
  let negate = false;
  while (statement.accept('!')) negate = !negate;
  const word = statement.expect('a matching rule');
  if (laterExpect.includes(word.text))
    throw statement.refusal(
      'unsupported-word',
      word.place,
      `'http-check expect' : '${word.text}' is not supported yet.`,
    );
  const kind = statement.choice(['status', 'rstatus', 'string', 'rstring'] as const, word).value;
  const pattern = statement.expect(`a pattern after '${kind}'`);
  const statuses = kind === 'status' ? statusRanges(statement, pattern) : [];
  if (kind === 'rstatus' || kind === 'rstring') checkRegex(statement, pattern);
  return { kind, negate, pattern: pattern.text, statuses, place: statement.place };
}

function statusRanges(
  statement: Statement,
  word: { text: string; place: Statement['place'] },
): (readonly [number, number])[] {
  return word.text.split(',').map((part) => {
    const match = /^([0-9]{1,3})(?:-([0-9]{1,3}))?$/.exec(part);
    const low = Number(match?.[1]);
    const high = Number(match?.[2] ?? match?.[1]);
    if (!(low >= 1 && high >= low && high <= 999))
      throw statement.refusal(
        'bad-value',
        word.place,
        `'status' expects codes from 1 to 999 such as 200,300-310, not '${part}'.`,
      );
    return [low, high] as const;
  });
}

function checkRegex(statement: Statement, word: { text: string; place: Statement['place'] }): void {
  try {
    new RegExp(word.text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw statement.refusal('bad-value', word.place, `'${word.text}' is not a valid regular expression: ${reason}.`);
  }
}
