/**
 * Questions for hardware addresses (ARP, neighbour discovery) that nobody has answered, asked anew: what `ip neighbour` shows as INCOMPLETE
 * or FAILED.
 *
 * The kernel repeats a question a second after the last one (arp(7) `retrans_time_ms`, RFC 4861 §10 RETRANS_TIMER), whatever became of the
 * link meanwhile. An entry that is made to know nothing (NUD_NONE) and is then to be used (NTF_USE) is asked for at once, and what waits in
 * its queue goes on waiting. To delete it would break that with "no route to host".
 */
import { linux } from './libc.ts';
import { messageType, NetlinkMessage, readAttributes, readUint32, viewOf } from './netlink-message.ts';
import { changeFlags, dumpFlags, type NetlinkRequester } from './netlink-socket.ts';

const NUD_NONE = 0;
const NUD_INCOMPLETE = 0x01;
const NUD_FAILED = 0x20;
const NTF_USE = 0x01;
/** Somebody's control plane sees to that entry. */
const NTF_EXT_LEARNED = 0x10;
const NDA = { destination: 1, interfaceIndex: 8, moreFlags: 15 } as const;
/** struct ndmsg: family, three bytes of padding, interface, state (2), flags, type. */
const bodyBytes = 12;

/** Asked for at once: as many as an interface's kernel keeps by default (arp(7) `gc_thresh3`); the rest is asked in its own time. */
const questionsMax = 1024;

export interface Unanswered {
  readonly family: number;
  readonly interfaceIndex: number;
  readonly address: Uint8Array;
}

/** @returns undefined, or the first error's name; an entry that is gone meanwhile is none. */
export function askUnanswered(
  requester: Pick<NetlinkRequester, 'dump' | 'change'>,
  interfaceIndex: number,
): string | undefined {
  let first: string | undefined;
  let asked = 0;
  for (const { body } of requester.dump(dumpNeighbours(interfaceIndex))) {
    const entry = parseUnanswered(body);
    if (entry?.interfaceIndex !== interfaceIndex) continue;
    if (++asked > questionsMax) break;
    const failure = requester.change(neighbourMessage(entry, 0)) ?? requester.change(neighbourMessage(entry, NTF_USE));
    if (failure !== 'ENOENT') first ??= failure;
  }
  return first;
}

export function dumpNeighbours(interfaceIndex: number): NetlinkMessage {
  const message = new NetlinkMessage(messageType.getNeighbour, dumpFlags, new Uint8Array(bodyBytes));
  return message.uint32(NDA.interfaceIndex, interfaceIndex);
}

/** @returns undefined for an entry that needs no question, or whose questions are somebody else's. */
export function parseUnanswered(body: Uint8Array): Unanswered | undefined {
  if (body.length < bodyBytes) return undefined;
  const view = viewOf(body);
  const family = body[0]!;
  const state = view.getUint16(8, true);
  const attributes = readAttributes(body, bodyBytes);
  const address = attributes.get(NDA.destination);
  const addressBytes = family === linux.AF_INET ? 4 : family === linux.AF_INET6 ? 16 : undefined;
  if ((state & (NUD_INCOMPLETE | NUD_FAILED)) === 0 || address === undefined || address.length !== addressBytes)
    return undefined;
  const moreFlags = readUint32(attributes.get(NDA.moreFlags)) ?? 0;
  if ((body[10]! & NTF_EXT_LEARNED) !== 0 || moreFlags !== 0) return undefined;
  return { family, interfaceIndex: view.getInt32(4, true), address: address.slice() };
}

/** With NTF_USE the kernel doesn't look at the state: it takes two messages to forget and to ask. */
export function neighbourMessage({ family, interfaceIndex, address }: Unanswered, flags: number): NetlinkMessage {
  const body = new Uint8Array(bodyBytes);
  const view = viewOf(body);
  body[0] = family;
  view.setInt32(4, interfaceIndex, true);
  view.setUint16(8, NUD_NONE, true);
  body[10] = flags;
  // Without CREATE: what nobody needs any more stays away.
  return new NetlinkMessage(messageType.newNeighbour, changeFlags, body).bytes(NDA.destination, address);
}
