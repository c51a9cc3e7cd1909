/** `evergate init`: asks for the few facts of a cluster, or takes them as options, and writes its configuration. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseIp } from '../core/address.ts';
import { type ClusterFacts, clusterFiles, type NamedAddress } from './init/cluster-files.ts';

export interface InitOptions {
  readonly balancers?: string;
  readonly servers?: string;
  readonly virtualIp?: string;
  readonly interface?: string;
  readonly routerId: string;
  readonly port: string;
  readonly serverPort: string;
  readonly out: string;
  readonly force?: boolean;
}

/** Ends with status 0 when everything was written, 1 when a fact is missing or wrong, or a file would be overwritten. */
export async function init(options: InitOptions): Promise<void> {
  try {
    const facts = await gather(options);
    const files = clusterFiles(facts).map(({ name, text }) => ({ path: join(options.out, name), text }));
    const there = files.filter(({ path }) => existsSync(path));
    if (there.length > 0 && options.force !== true)
      throw new Refusal(`${there.map(({ path }) => path).join(', ')}: there already; --force writes over them`);
    mkdirSync(options.out, { recursive: true });
    for (const { path, text } of files) writeFileSync(path, text);
    process.stdout.write(`${files.map(({ path }) => `wrote ${path}\n`).join('')}\n${nextSteps(options.out)}`);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    process.stderr.write(`evergate init: ${error.message}\n`);
    process.exitCode = 1;
  }
}

/** Something that was asked for is missing or makes no sense; the message says what would. */
class Refusal extends Error {}

async function gather(options: InitOptions): Promise<ClusterFacts> {
  const ask = asker();
  try {
    const balancers = await ask('balancers', options.balancers, (text) =>
      distinct([], namedAddresses('balancers', 'lb', 2, 10, text)),
    );
    const servers = await ask('servers', options.servers, (text) =>
      distinct(balancers, namedAddresses('servers', 'server', 1, 1000, text)),
    );
    const virtual = await ask('virtualIp', options.virtualIp, (text) => {
      const found = virtualAddress(text);
      distinct([...balancers, ...servers], [{ name: 'the virtual address', address: found.virtualAddress }]);
      return found;
    });
    return {
      balancers,
      servers,
      ...virtual,
      interface: await ask('interface', options.interface, interfaceName),
      routerId: wholeNumber('--router-id', options.routerId, 255),
      port: wholeNumber('--port', options.port, 65_535),
      serverPort: wholeNumber('--server-port', options.serverPort, 65_535),
    };
  } finally {
    ask.close();
  }
}

const questions = {
  balancers: {
    flag: '--balancers',
    text: 'Addresses of the balancers, the preferred one first (lb1=10.42.0.73,lb2=10.42.0.38)',
    proposed: () => '',
  },
  servers: { flag: '--servers', text: 'Addresses of the servers (web1=10.42.0.135,…)', proposed: () => '' },
  virtualIp: {
    flag: '--virtual-ip',
    text: 'Virtual IP that clients use, with its prefix length (10.42.0.240/24)',
    proposed: () => '',
  },
  interface: {
    flag: '--interface',
    text: 'Interface of the balancers that carries it',
    proposed: () =>
      Object.keys(networkInterfaces()).find((name) => networkInterfaces()[name]?.some(({ internal }) => !internal)) ??
      'eth0',
  },
} as const;

interface Asker {
  /** @param read makes a fact of the text; throws a `Refusal`. */
  <Fact>(question: keyof typeof questions, given: string | undefined, read: (text: string) => Fact): Promise<Fact>;
  close(): void;
}

/**
 * What was not given is asked for at a terminal, and asked again when the answer makes no sense; elsewhere (a script) it is an error that
 * names the option.
 */
function asker(): Asker {
  const terminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
  const lines = terminal ? createInterface({ input: process.stdin, output: process.stdout }) : undefined;
  // As an iterator, for lines that are typed ahead of their question.
  const answers = lines?.[Symbol.asyncIterator]();
  const ask = async <Fact>(
    question: keyof typeof questions,
    given: string | undefined,
    read: (text: string) => Fact,
  ): Promise<Fact> => {
    if (given !== undefined) return read(given);
    const { flag, text, proposed } = questions[question];
    if (lines === undefined || answers === undefined) throw new Refusal(`${flag} is missing: ${text}`);
    const proposal = proposed();
    lines.setPrompt(`${text}${proposal === '' ? '' : ` [${proposal}]`}: `);
    for (;;) {
      lines.prompt();
      const { done, value } = await answers.next();
      // The end of the input (Ctrl-D), or Ctrl-C.
      if (done === true) throw new Refusal('nothing was written');
      try {
        return read(value.trim() === '' ? proposal : value.trim());
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        process.stdout.write(`  ${error.message}\n`);
      }
    }
  };
  return Object.assign(ask, { close: () => lines?.close() });
}

/** `name=address,name=address`; without names they are numbered. */
function namedAddresses(what: string, prefix: string, least: number, most: number, text: string): NamedAddress[] {
  const words = text.split(/[\s,]+/).filter((word) => word !== '');
  if (words.length < least || words.length > most)
    throw new Refusal(`--${what}: ${words.length} addresses; ${least} to ${most} are possible`);
  return words.map((word, index) => {
    const [name, address] = word.includes('=')
      ? (word.split('=', 2) as [string, string])
      : [`${prefix}${index + 1}`, word];
    if (!/^[A-Za-z][A-Za-z0-9_-]*$/.test(name))
      throw new Refusal(`--${what}: "${name}" can't be a name; letters, digits, - and _ can`);
    if (parseIp(address) === undefined) throw new Refusal(`--${what}: "${address}" is not an IP address`);
    return { name, address };
  });
}

function virtualAddress(text: string): { virtualAddress: string; prefixLength: number } {
  const [address = '', length] = text.split('/');
  if (parseIp(address) === undefined) throw new Refusal(`--virtual-ip: "${address}" is not an IP address`);
  const most = address.includes(':') ? 128 : 32;
  if (length === undefined)
    throw new Refusal(
      `--virtual-ip: write the prefix length of its network too, for example ${address}/${most === 32 ? 24 : 64}`,
    );
  return { virtualAddress: address, prefixLength: wholeNumber('--virtual-ip, the length after /', length, most) };
}

/** As the kernel allows them (dev_valid_name). */
function interfaceName(text: string): string {
  if (/^[^\s/:]{1,15}$/.test(text) && text !== '.' && text !== '..') return text;
  throw new Refusal(`--interface: "${text}" can't be the name of an interface`);
}

function wholeNumber(what: string, text: string, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new Refusal(`${what}: "${text}" is not a whole number from 1 to ${most}`);
}

/** @returns `added`, when none of them has a name or an address that another one of them or of `known` has. */
function distinct(known: readonly NamedAddress[], added: readonly NamedAddress[]): readonly NamedAddress[] {
  for (const key of ['name', 'address'] as const) {
    const seen = new Map<string, NamedAddress>();
    for (const host of [...known, ...added]) {
      const other = seen.get(host[key]);
      if (other !== undefined)
        throw new Refusal(`${other.name} and ${host.name} have the same ${key}, ${host[key]}: each needs its own`);
      seen.set(host[key], host);
    }
  }
  return added;
}

function nextSteps(out: string): string {
  return `Next:
  evergate explain ${join(out, 'keepalived-*.conf')} ${join(out, 'haproxy.cfg')}     what happens in which failure
  ansible-playbook -i ${join(out, 'inventory.yml')} deploy/ansible/playbooks/site.yml     or copy the files to the balancers:
  haproxy.cfg to /etc/evergate/haproxy.cfg, keepalived-<name>.conf to /etc/evergate/keepalived.conf; systemctl enable --now evergate
`;
}
