/** `evergate trace`: VRRP advertisements as they pass the wire, one line each, with what is wrong with them. */
import { ControlClient, controlAddress } from '../adapters/control-socket.ts';
import { libc } from '../adapters/libc.ts';
import { NetlinkLinks } from '../adapters/netlink-links.ts';
import { openVrrpTap, type TappedAdvertisement } from '../adapters/vrrp-tap.ts';
import type { VirtualRouterSettings } from '../core/vrrp/settings.ts';
import type { ControlAnswer } from '../engine/failover/control.ts';
import { traceAdvertisement } from '../engine/failover/control-trace.ts';
import type { Link } from '../engine/ports/links.ts';
import { coloured, plain } from './status/text.ts';
import { DeliveryWatch } from './trace/delivery.ts';
import { adviseSilence, renderSighting, type Sighting } from './trace/render.ts';

export interface TraceOptions {
  readonly json?: boolean;
  readonly count?: string;
  readonly for?: string;
  readonly socket?: string;
}

/** A packet that passes the firewall is at the raw socket well within this time. */
const deliveryMs = 50;
/** Shortest time of silence before advice is given; three intervals when those are longer. */
const silenceMsMin = 4_000;
/** So long the daemon's settings are believed: it may be reloaded, ended or started while we watch. */
const settingsMs = 1_000;

/** Exit status: 0 nothing wrong was seen, 1 something was, 2 it can't be traced here. */
export async function trace(name: string | undefined, options: TraceOptions): Promise<void> {
  const [most, seconds] = [limit(options.count, '--count'), limit(options.for, '--for')];
  if (libc() === undefined) refuse('the wire can be watched on Linux only (x86-64 or arm64)');
  const interfaces = chosenInterfaces(name);
  const routers = await configuredRouters(options.socket);
  const trace = new Trace(interfaces, routers, options, most);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => trace.end());
  process.stdout.on('error', () => trace.end());
  if (seconds !== Infinity) setTimeout(() => trace.end(), seconds * 1000);
}

class Trace {
  readonly #taps: { close(): void }[] = [];
  readonly #delivery: DeliveryWatch;
  #routers: readonly VirtualRouterSettings[] | undefined;
  #askedAt = performance.now();
  readonly #node: string | undefined;
  readonly #json: boolean;
  readonly #most: number;
  readonly #paint = process.stdout.isTTY === true && (process.env['NO_COLOR'] ?? '') === '' ? coloured : plain;
  readonly #silence: NodeJS.Timeout;
  /** Descriptors that Node does not know don't keep its loop alive: this does. */
  readonly #alive = setInterval(() => {}, 2 ** 30);
  #shown = 0;
  #sent = 0;
  #heard = 0;
  #wrong = false;

  constructor(
    interfaces: readonly Link[],
    routers: readonly VirtualRouterSettings[] | undefined,
    options: TraceOptions,
    most: number,
  ) {
    this.#routers = routers;
    this.#node = options.socket;
    this.#json = options.json === true;
    this.#most = most;
    for (const link of interfaces) {
      const tap = openVrrpTap(link.index, (packet) => this.#seen(packet, link.name));
      if ('failure' in tap) {
        const reason = tap.failure === 'EPERM' ? 'it needs root, or the capability CAP_NET_RAW' : tap.failure;
        refuse(`cannot watch ${link.name}: ${reason}`);
      }
      this.#taps.push(tap);
    }
    this.#delivery = new DeliveryWatch(interfaces);
    const longest = Math.max(0, ...(routers ?? []).map(({ advertisementIntervalMs }) => advertisementIntervalMs));
    this.#silence = setTimeout(() => this.#advise(), Math.max(silenceMsMin, 3 * longest + 1000));
    this.#note(`Watching ${interfaces.map((link) => link.name).join(', ')}; ${judgedBy(routers)}. Ctrl-C ends.`);
  }

  end(): void {
    for (const tap of this.#taps.splice(0)) tap.close();
    this.#delivery.close();
    clearTimeout(this.#silence);
    clearInterval(this.#alive);
    process.exit(this.#wrong ? 1 : 0);
  }

  #seen(packet: TappedAdvertisement, interfaceName: string): void {
    const wallMs = Date.now();
    if (packet.outgoing) this.#sent++;
    else this.#heard++;
    this.#askAgain();
    // Every line waits as long, so that they stay in order.
    setTimeout(() => this.#show(packet, interfaceName, wallMs), deliveryMs);
  }

  /** The answer is here before the line that asked for it is shown. */
  #askAgain(): void {
    const now = performance.now();
    if (now - this.#askedAt < settingsMs) return;
    this.#askedAt = now;
    void configuredRouters(this.#node).then((routers) => {
      const changed = (routers === undefined) !== (this.#routers === undefined);
      this.#routers = routers;
      if (changed) this.#note(`From here on: ${judgedBy(routers)}.`);
    });
  }

  #show(packet: TappedAdvertisement, interfaceName: string, wallMs: number): void {
    if (this.#shown >= this.#most) return;
    const here = this.#routers?.filter((router) => router.interface === interfaceName || router.interface === '');
    const traced = traceAdvertisement(packet, here);
    const dropped = !packet.outgoing && !this.#delivery.arrived(packet, packet.protocol);
    const problems = dropped
      ? [...traced.problems, 'dropped on this host: a firewall rule (or rp_filter) keeps it from the VRRP daemon']
      : traced.problems;
    if (problems.length > 0) this.#wrong = true;
    const { outgoing, source, destination, ttl } = packet;
    const sighting: Sighting = {
      wallMs,
      interface: interfaceName,
      outgoing,
      source,
      destination,
      ttl,
      traced: { ...traced, problems },
    };
    process.stdout.write(
      this.#json
        ? `${JSON.stringify({ ...sighting, traced: undefined, ...sighting.traced })}\n`
        : `${renderSighting(sighting, this.#paint)}\n`,
    );
    if (++this.#shown >= this.#most) this.end();
  }

  #advise(): void {
    if (this.#heard === 0) for (const line of adviseSilence(this.#sent, this.#routers)) this.#note(line);
  }

  /** For people: not part of what a program reads. */
  #note(line: string): void {
    if (this.#json) process.stderr.write(`${line}\n`);
    else process.stdout.write(`${this.#paint('dim', line)}\n`);
  }
}

function judgedBy(routers: readonly VirtualRouterSettings[] | undefined): string {
  return routers === undefined
    ? 'no VRRP daemon runs here: judged by itself only'
    : 'judged against the running configuration';
}

function chosenInterfaces(name: string | undefined): readonly Link[] {
  const links = new NetlinkLinks();
  const all = links.links().filter((link) => link.name !== 'lo' && (name === undefined ? link.up : link.name === name));
  links.close();
  if (all.length === 0)
    refuse(
      name === undefined ? 'no interface is up' : `there is no interface "${name}" (ip link shows those that exist)`,
    );
  return all;
}

/** Undefined when no daemon answers: then only what is wrong for everybody can be told. */
async function configuredRouters(node: string | undefined): Promise<readonly VirtualRouterSettings[] | undefined> {
  const client = await ControlClient.open(controlAddress(node, 'vrrp'));
  if (!(client instanceof ControlClient)) return undefined;
  try {
    const answer = (await client.ask('settings')) as ControlAnswer;
    return answer.ok && 'settings' in answer ? answer.settings : undefined;
  } catch {
    return undefined;
  } finally {
    client.close();
  }
}

function limit(text: string | undefined, option: string): number {
  if (text === undefined) return Infinity;
  const number = Number(text);
  if (!(number > 0)) refuse(`${option} takes a number above 0, not "${text}"`);
  return number;
}

function refuse(reason: string): never {
  process.stderr.write(`evergate: ${reason}\n`);
  process.exit(2);
}
