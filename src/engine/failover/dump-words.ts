/** Addresses, routes, rules and commands in the words of Keepalived's dumps (2.2.7), which both keepalived.data and keepalived.json use. */
import type { VirtualAddress } from '../../core/vrrp/settings.ts';
import type { CommandPlan, RoutePlan, RulePlan } from '../../plan/vrrp.ts';
import type { RouterDriver } from './router-driver.ts';

/** Routing protocol number by which Keepalived knows its own. */
const protocol = 'protocol 18';
const scopes: Readonly<Record<string, string>> = { link: '253', host: '254', site: '200', nowhere: '255' };
const tables: Readonly<Record<string, string>> = { default: '253', main: '254', local: '255' };
const ipProtocols: Readonly<Record<string, string>> = {
  icmp: '1',
  tcp: '6',
  udp: '17',
  'ipv6-icmp': '58',
  sctp: '132',
};
const unreachableTypes = new Set(['blackhole', 'unreachable', 'prohibit', 'throw']);
const routeTypes = new Set([...unreachableTypes, 'unicast', 'local', 'broadcast', 'multicast', 'nat', 'anycast']);
const routeFlags = new Set(['onlink', 'pervasive', 'fastopen_no_cookie']);
const operations = new Set(['append', 'prepend', 'add']);
/** What stands first, in that order; the rest follows as written. */
const routeOrder = ['from', 'via', 'src', 'tos', 'dev', 'table', 'protocol', 'scope', 'metric', 'mtu', 'advmss'];
const ruleOrder = [
  'from',
  'to',
  'priority',
  'tos',
  'fwmark',
  'iif',
  'oif',
  'suppress_prefixlength',
  'uidrange',
  'protocol',
  'ipproto',
  'sport',
  'dport',
];
const ruleActions = new Set(['blackhole', 'prohibit', 'unreachable', 'nop', 'l3mdev']);

/** @param held it is on its interface. */
export function addressWords(address: VirtualAddress, device: string, held: boolean): string {
  const { family, prefix, broadcast, scope, label, peer, preferredLifetimeSec } = address;
  const host = family === 'ipv4' ? 32 : 128;
  const lifetime = preferredLifetimeSec === 0 ? 'deprecated' : `preferred_lft ${preferredLifetimeSec ?? 'forever'}`;
  return [
    prefix === host && peer === undefined ? address.address : `${address.address}${peer ? '' : `/${prefix}`}`,
    ...(broadcast === undefined ? [] : [`brd ${broadcast}`]),
    `dev ${device} scope ${scope ?? 'global'}`,
    ...(label === undefined ? [] : [`label ${label}`]),
    ...(peer === undefined ? [] : [`peer ${peer.includes('/') ? peer : `${peer}/${prefix}`}`]),
    ...(family === 'ipv6' ? [lifetime] : []),
    ...(held ? ['set'] : []),
  ].join(' ');
}

/** Where an address of this router is, with the interface below a macvlan. */
export function deviceWords(address: VirtualAddress, driver: RouterDriver): string {
  const device = driver.device();
  if (address.device !== undefined && address.device !== device) return address.device;
  return driver.settings.vmac === undefined ? device : `${device}@${driver.settings.interface}`;
}

export function routeWords({ words, family, noTrack }: RoutePlan): string {
  const rest = [...words];
  const type = routeTypes.has(rest[0]!) ? rest.shift()! : undefined;
  const destination = rest.shift()!;
  const nexthop = rest.indexOf('nexthop');
  const hops = nexthop === -1 ? [] : rest.splice(nexthop);
  const options = readOptions(rest, (word) => (operations.has(word) || routeFlags.has(word) ? 0 : 1));
  const operation = options.find(({ name }) => operations.has(name))?.name;
  // Without dev it can't be tracked, whether or not the line says so.
  const tracked = !noTrack || !rest.includes('dev');
  if (tracked && !options.some(({ name }) => name === 'protocol')) options.push({ name: 'protocol', text: protocol });
  return [
    operation ?? (type !== undefined && unreachableTypes.has(type) ? 'add' : 'prepend'),
    ...(type === undefined || type === 'unicast' ? [] : [type]),
    destination === 'default' ? (family === 'ipv4' ? '0.0.0.0/0' : '::/0') : withoutHostPrefix(destination),
    ...inOrder(options, routeOrder)
      .filter(({ name }) => name !== operation)
      .map(({ name, text }) => (name === 'protocol' ? text.replace('protocol', 'proto') : text)),
    ...hops,
    ...(noTrack ? ['no_track'] : []),
  ].join(' ');
}

export function ruleWords({ words, noTrack }: RulePlan): string {
  const options = readOptions(
    words.filter((word) => word !== 'not'),
    (word) => (ruleActions.has(word) ? 0 : 1),
  );
  const value = (wanted: string) => options.find(({ name }) => name === wanted)?.text.slice(wanted.length + 1);
  const add = (name: string, text: string) => {
    const index = options.findIndex((option) => option.name === name);
    if (index === -1) options.push({ name, text });
    else options[index] = { name, text };
  };
  if (value('from') === undefined) add('from', 'from all');
  add('tos', `tos 0x${Number(value('tos') ?? 0).toString(16)}`);
  const mark = value('fwmark');
  if (mark !== undefined) {
    const [number, mask = '0xffffffff'] = mark.split('/');
    add('fwmark', `fwmark 0x${Number(number).toString(16)}/0x${Number(mask).toString(16)}`);
  }
  const ipProtocol = value('ipproto');
  if (ipProtocol !== undefined) add('ipproto', `ipproto ${ipProtocols[ipProtocol] ?? ipProtocol}`);
  const prefixLength = value('suppress_prefixlength');
  if (prefixLength !== undefined) add('suppress_prefixlength', `suppress_prefixlen ${prefixLength}`);
  if (!noTrack && value('protocol') === undefined) add('protocol', protocol);
  const action = options.find(({ name }) => name === 'table' || name === 'goto' || ruleActions.has(name));
  const table = value('table');
  return [
    ...(words.includes('not') ? ['not'] : []),
    ...inOrder(options, ruleOrder)
      .filter((option) => option !== action)
      .map(({ text }) => withoutHostPrefix(text)),
    ...(table === undefined
      ? action === undefined || action.name === 'goto'
        ? [action?.text ?? '']
        : [`type ${action.name}`]
      : [`lookup ${tables[table] ?? table}`]),
    ...(noTrack ? ['no_track'] : []),
  ].join(' ');
}

export function commandWords({ argv }: CommandPlan): string {
  return argv.map((word) => `'${word}'`).join(' ');
}

interface Option {
  readonly name: string;
  readonly text: string;
}

/** `values`: how many words follow that one; those that resolve a family or lock a metric take one more. */
function readOptions(words: readonly string[], values: (word: string) => number): Option[] {
  const options: Option[] = [];
  for (let index = 0; index < words.length; ) {
    const name = words[index]!;
    const more = ['inet', 'inet6', 'lock'].includes(words[index + 1] ?? '') ? 1 : 0;
    const count = 1 + values(name) + (values(name) > 0 ? more : 0);
    const [, ...rest] = words.slice(index, index + count);
    const told = name === 'scope' ? rest.map((word) => scopes[word] ?? word) : rest;
    options.push({ name, text: [name, ...told].join(' ') });
    index += count;
  }
  return options;
}

function inOrder(options: readonly Option[], order: readonly string[]): Option[] {
  const rank = ({ name }: Option) => (order.includes(name) ? order.indexOf(name) : order.length);
  return options.toSorted((a, b) => rank(a) - rank(b));
}

function withoutHostPrefix(text: string): string {
  return text.replace(/^((?:from |to )?[\d.]+)\/32$/, '$1').replace(/^((?:from |to )?[\da-f:]+)\/128$/, '$1');
}
