/** `option …` keywords of proxies (manual 4.2) that Evergate acts on, but those of checks and logs. */
import { parsePrefix } from '../../core/address.ts';
import type { ForwardForSetting, SwitchName } from './config.ts';
import { type Keyword, sections, supported } from './keyword.ts';
import type { ProxyTarget } from './keywords-proxy.ts';
import type { Statement } from './statement.ts';

export const optionKeywords: readonly Keyword<ProxyTarget>[] = [
  onOff('abortonclose', 'dlb', 'off', 'drops a queued request when its client has closed'),
  onOff('allbackups', 'dlb', 'off', 'uses all backup servers together, not the first alone'),
  onOff('clitcpka', 'dfl', 'off', 'TCP keep-alive towards clients'),
  onOff('srvtcpka', 'dlb', 'off', 'TCP keep-alive towards servers'),
  onOff('http-ignore-probes', 'dfl', 'off', 'says and logs nothing when a connection ends without a request'),
  onOff('nolinger', 'dflb', 'off', 'closes with a reset'),
  splice('splice-auto'),
  splice('splice-request'),
  splice('splice-response'),
  connectionMode('http-keep-alive', 'keep-alive', 'keeps connections to clients and servers open'),
  connectionMode('http-server-close', 'server-close', 'keeps connections to clients open, closes those to servers'),
  connectionMode('httpclose', 'close', 'closes connections to clients and servers after each answer'),
  {
    word: 'option tcpka',
    sections: sections('dflb'),
    arguments: '',
    default: 'off',
    meaning: 'TCP keep-alive towards clients and servers',
    support: supported,
    negatable: true,
    read: (s, { settings }) => {
      const value = { value: s.prefix === undefined, place: s.place };
      settings.switches.clitcpka = value;
      settings.switches.srvtcpka = value;
    },
  },
  {
    word: 'option redispatch',
    sections: sections('dlb'),
    arguments: '[<interval>]',
    default: 'a request that is tied to no server goes elsewhere at once',
    meaning: 'lets a retry go to another server, on every n-th retry',
    support: supported,
    negatable: true,
    read: (s, { settings }) => {
      const interval =
        s.prefix === undefined && s.peek() !== undefined ? s.integer('an integer argument', -65_535, 65_535).value : -1;
      settings.redispatch = { value: s.prefix === undefined ? interval : 0, place: s.place };
    },
  },
  {
    word: 'option forwardfor',
    sections: sections('dflb'),
    arguments: '[except <network>] [header <name>] [if-none]',
    default: 'off',
    meaning: "adds the client's address to requests",
    support: supported,
    read: (s, { settings }) => {
      settings.forwardFor = { value: readForwardFor(s), place: s.place };
    },
  },
];

function onOff(name: SwitchName, letters: string, fallback: string, meaning: string): Keyword<ProxyTarget> {
  return {
    word: `option ${name}`,
    sections: sections(letters),
    arguments: '',
    default: fallback,
    meaning,
    support: supported,
    negatable: true,
    read: (s, { settings }) => {
      settings.switches[name] = { value: s.prefix === undefined, place: s.place };
    },
  };
}

/** Splicing changes only how bytes move through the kernel; nothing that a peer can see. So it is taken, with a notice. */
function splice(name: 'splice-auto' | 'splice-request' | 'splice-response'): Keyword<ProxyTarget> {
  const keyword = onOff(
    name,
    'dflb',
    'off',
    'a way to forward bytes; taken without effect, since results are the same',
  );
  return {
    ...keyword,
    read: (statement, target) => {
      keyword.read!(statement, target);
      statement.notice(
        'ignored',
        statement.place,
        `'option ${name}' has no effect here: bytes are forwarded without splicing.`,
      );
    },
  };
}

function connectionMode(
  name: string,
  mode: 'keep-alive' | 'server-close' | 'close',
  meaning: string,
): Keyword<ProxyTarget> {
  return {
    word: `option ${name}`,
    sections: sections('dflb'),
    arguments: '',
    default: mode === 'keep-alive' ? 'on' : 'off',
    meaning,
    support: supported,
    negatable: true,
    read: (s, { settings }) => {
      if (s.prefix === undefined) settings.connectionMode = { value: mode, place: s.place };
      // Taking back a mode that isn't in force changes nothing (manual 4.2 option httpclose).
      else if (settings.connectionMode?.value === mode)
        settings.connectionMode = { value: 'keep-alive', place: s.place };
    },
  };
}

function readForwardFor(statement: Statement): ForwardForSetting {
  let header = 'X-Forwarded-For';
  let ifNone = false;
  let except: ForwardForSetting['except'];
  for (let word = statement.peek(); word !== undefined; word = statement.peek()) {
    if (statement.accept('if-none')) ifNone = true;
    else if (statement.accept('header')) {
      const name = statement.expect('a header name');
      if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name.text))
        throw statement.refusal('bad-value', name.place, `'${name.text}' is not a valid header name.`);
      header = name.text;
    } else if (statement.accept('except')) {
      const network = statement.expect('<address[/mask]>');
      except = parsePrefix(network.text);
      if (except === undefined)
        throw statement.refusal(
          'bad-value',
          network.place,
          `'except' expects an address or network such as 127.0.0.0/8, not '${network.text}'.`,
        );
    } else throw statement.unknownChoice(word, ['except', 'header', 'if-none']);
  }
  return { header, ifNone, except };
}
