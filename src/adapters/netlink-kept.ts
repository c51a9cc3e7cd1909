/**
 * The routes and rules that were set here, by what tells one from another in the kernel: its word about a removal carries more attributes
 * than the request that set it, and in another order.
 */
import { familyNumber } from './address-bytes.ts';
import { headerBytes, readAttributes, readText, readUint32 } from './netlink-message.ts';

const RTA = { dst: 1, src: 2, oif: 4, priority: 6, table: 15 };
const FRA = { dst: 1, src: 2, iif: 3, priority: 6, table: 15, oif: 17 };
/** Both rtmsg and fib_rule_hdr. */
const fixedBytes = 12;
/** What the kernel gives an IPv6 route without a metric (IP6_RT_PRIO_USER). */
const usualMetric6 = 1024;

export class KeptWords {
  readonly #kept = new Map<string, readonly string[]>();
  readonly #keys: (body: Uint8Array) => readonly string[];

  /** @param keys of a message's body: what it is kept by, and behind it what else it may be known by. */
  constructor(keys: (body: Uint8Array) => readonly string[]) {
    this.#keys = keys;
  }

  /** @param request the message that set it, with its header. */
  keep(request: Uint8Array, words: readonly string[]): void {
    this.#kept.set(this.#keys(request.subarray(headerBytes))[0]!, words);
  }

  forget(request: Uint8Array): void {
    this.#kept.delete(this.#keys(request.subarray(headerBytes))[0]!);
  }

  /** The one that the kernel says is gone; it is no longer kept. */
  removed(body: Uint8Array): readonly string[] | undefined {
    const key = this.#keys(body).find((each) => this.#kept.has(each));
    if (key === undefined) return undefined;
    const kept = this.#kept.get(key);
    this.#kept.delete(key);
    return kept;
  }

  takeAll(): (readonly string[])[] {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    return all;
  }
}

/** A route that was set without dev has one in the kernel's words, and one with several next hops has none. */
export function routeKeys(body: Uint8Array): string[] {
  return [routeKey(body, true), routeKey(body, false)];
}

function routeKey(body: Uint8Array, withDevice: boolean): string {
  const attributes = readAttributes(body, fixedBytes);
  const [family, length, fromLength, tos] = body;
  const usualMetric = family === familyNumber('ipv6') ? usualMetric6 : 0;
  return [
    family,
    prefixText(attributes.get(RTA.dst), length!),
    prefixText(attributes.get(RTA.src), fromLength!),
    tos,
    readUint32(attributes.get(RTA.table)) ?? body[4],
    readUint32(attributes.get(RTA.priority)) || usualMetric,
    withDevice ? readUint32(attributes.get(RTA.oif)) : undefined,
  ].join(' ');
}

export function ruleKeys(body: Uint8Array): string[] {
  const attributes = readAttributes(body, fixedBytes);
  const [family, toLength, fromLength] = body;
  const key = [
    family,
    readUint32(attributes.get(FRA.priority)),
    prefixText(attributes.get(FRA.src), fromLength!),
    prefixText(attributes.get(FRA.dst), toLength!),
    readUint32(attributes.get(FRA.table)) ?? body[4],
    body[7],
    readText(attributes.get(FRA.iif)),
    readText(attributes.get(FRA.oif)),
  ].join(' ');
  return [key];
}

/** Without the bits behind the prefix, which the kernel drops. */
function prefixText(address: Uint8Array | undefined, length: number): string {
  const kept = (address ?? new Uint8Array(0)).slice(0, (length + 7) >> 3);
  if (length % 8 !== 0 && kept.length > 0) kept[kept.length - 1]! &= 0xff << (8 - (length % 8));
  return `${Buffer.from(kept).toString('hex')}/${length}`;
}
