/** What the outside world says while a Config becomes a Plan, and how problems are collected. The plan itself stays pure. */

import type { Diagnostic, DiagnosticCode, Place } from '../config/diagnostic.ts';
import type { HaproxyConfig, WrittenAddress } from '../config/haproxy/config.ts';
import { type IpAddress, type IpFamily, parseIp, type SocketAddress } from '../core/address.ts';

export interface BalancerWorld {
  /** The machine's name (`hostname`). */
  readonly hostname: string;
  /** CPUs that the process may use; the default of nbthread. */
  readonly processors: number;
  /** What the names of `namesToResolve` stand for, in the resolver's order. A name that is missing could not be resolved. */
  readonly addresses: ReadonlyMap<string, readonly IpAddress[]>;
  /** The bytes of a file, or the reason why it can't be read ("No such file or directory"). */
  readFile(path: string): Uint8Array | string;
  /** Numeric ids of users and groups for the files of unix sockets; undefined when unknown. */
  userId(name: string): number | undefined;
  groupId(name: string): number | undefined;
}

/** Every host name of the configuration whose address the Plan needs, each once. */
export function namesToResolve(config: HaproxyConfig): readonly string[] {
  const names = new Set<string>();
  const add = (address: { readonly kind: string; readonly host?: string } | undefined): void => {
    if (address?.kind === 'inet' && isName(address.host!)) names.add(address.host!);
  };
  for (const line of config.global.logs) add(line.address);
  for (const { settings, base } of config.proxies) {
    for (let section = base; section !== undefined; section = section.base) addSettings(section.settings);
    addSettings(settings);
  }
  return [...names];

  function addSettings(settings: HaproxyConfig['proxies'][number]['settings']): void {
    for (const bind of settings.binds) for (const address of bind.addresses) add(address.value);
    for (const server of settings.servers) {
      add(server.address.value);
      for (const one of [server.settings, server.defaults]) {
        add(one.checkAddress?.value);
        add(one.source?.value);
      }
    }
    for (const step of settings.logs) if (step.kind === 'line') add(step.line.address);
    add(settings.source?.value);
  }
}

function isName(host: string): boolean {
  return host !== '' && host !== '*' && parseIp(host) === undefined;
}

/** The work of one build: the world, and a list of what is wrong so far. */
export class BuildContext {
  readonly world: BalancerWorld;
  /** Lines were refused, so complaints about what is missing would only repeat it. */
  readonly damaged: boolean;
  readonly diagnostics: Diagnostic[] = [];
  /** A line of `defaults` counts for every proxy; what is wrong with it is said once. */
  readonly #said = new Set<string>();

  constructor(world: BalancerWorld, damaged: boolean) {
    this.world = world;
    this.damaged = damaged;
  }

  alert(code: DiagnosticCode, place: Place, message: string, hint?: string): void {
    this.#say({ severity: 'alert', code, place, message, ...(hint === undefined ? {} : { hint }) });
  }

  warn(code: DiagnosticCode, place: Place, message: string, hint?: string): void {
    this.#say({ severity: 'warning', code, place, message, ...(hint === undefined ? {} : { hint }) });
  }

  #say(diagnostic: Diagnostic): void {
    if (diagnostic.code === 'incomplete' && this.damaged) return;
    const { place, message } = diagnostic;
    const key = `${place.file}:${place.line}:${place.column}:${message}`;
    if (this.#said.has(key)) return;
    this.#said.add(key);
    this.diagnostics.push(diagnostic);
  }

  /** The first address of the host, of the wanted family if one is forced. '' and '*' are every address. */
  host(host: string, family: IpFamily | undefined): IpAddress | undefined {
    if (host === '' || host === '*')
      return family === 'ipv6' ? { family, host: '::' } : { family: 'ipv4', host: '0.0.0.0' };
    const literal = parseIp(host);
    const found = literal === undefined ? (this.world.addresses.get(host) ?? []) : [literal];
    return found.find((one) => family === undefined || one.family === family);
  }

  /** A complete address with one port (`portDefault` when none was written); reports a name that has no address. */
  socketAddress(written: WrittenAddress, place: Place, portDefault: number): SocketAddress | undefined {
    if (written.kind === 'unix') return { family: 'unix', path: written.path };
    const ip = this.host(written.host, written.family);
    if (ip === undefined) {
      this.alert(
        'unresolvable',
        place,
        `could not resolve address '${written.host}'.`,
        'write an IP address, or make the name known before the start',
      );
      return undefined;
    }
    return { family: ip.family, host: ip.host, port: written.port?.first ?? portDefault };
  }
}
