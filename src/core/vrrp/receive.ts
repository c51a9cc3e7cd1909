/**
 * What becomes of a received message: RFC 9568 §7.1, RFC 3768 §7.1, in Keepalived's order and words, each kind of error counted.
 * "Received with an error" is a value; no bytes make this throw.
 */

import { authenticate } from './ah.ts';
import type { HeardAdvertisement } from './events.ts';
import {
  type Advertisement,
  advertisementType,
  authenticationTypes,
  type ChecksumForm,
  checksumForm,
  decodeAdvertisement,
  multicastGroups,
  passwordBytes,
} from './packet.ts';
import type { VirtualRouterSettings } from './settings.ts';

/** Why a message is ignored. */
export type ReceiveError =
  | 'length' // shorter than it says
  | 'ttl' // not 255 on multicast, or outside the peer's range on unicast
  | 'cast' // multicast for a unicast instance or the other way round
  | 'source' // not one of the unicast peers
  | 'own' // our own message came back
  | 'owner' // we own the addresses and are told to listen to nobody
  | 'version'
  | 'type'
  | 'virtual-router-id'
  | 'checksum'
  | 'interval' // version 2 only
  | 'authentication-type' // a number that does not exist
  | 'authentication-mismatch' // another type than ours
  | 'authentication-failure' // wrong password, wrong digest, replayed
  | 'address-list';

/** Worth a line in the log, but not a reason to ignore the message. */
export type ReceiveRemark = 'interval-differs' | 'address-list-differs' | 'checksum-plain' | 'checksum-old-unicast';

export interface PacketFacts {
  readonly source: string;
  readonly destination: string;
  readonly ttl: number;
  /** Starts with the VRRP header; with authentication `ah` with the authentication header. */
  readonly payload: Uint8Array;
  /** IPv4 identification, only needed to check an authentication header, which covers it. */
  readonly identification?: number;
}

export interface ReceiveContext {
  /** The address that we send from: messages from it are our own. */
  readonly ownAddress: string | undefined;
  /** Who we follow now; `skip_check_adv_addr` trusts its further advertisements. */
  readonly followed: string | undefined;
  /** The router holds the addresses. Absent: no. */
  readonly active?: boolean;
  /** Last sequence number of the authentication header seen, 0 before the first. */
  readonly sequence: number;
}

export type Received =
  | {
      readonly kind: 'accepted';
      readonly heard: HeardAdvertisement;
      readonly advertisement: Advertisement;
      readonly checksum: ChecksumForm;
      readonly remarks: readonly ReceiveRemark[];
      /** To be given as `sequence` with the next message. */
      readonly sequence: number;
    }
  | { readonly kind: 'rejected'; readonly error: ReceiveError; readonly message: string };

/** A sender that counts Ethernet's padding: 46 bytes at least, less the IPv4 header. Keepalived 2.2.7 drops all that is longer than it says. */
const paddedBytesMax = 26;

export function receiveAdvertisement(
  packet: PacketFacts,
  settings: VirtualRouterSettings,
  context: ReceiveContext,
): Received {
  const header = checkHeader(packet, settings, context);
  if (header !== undefined) return header;
  const { payload, failure, sequence } = unwrap(packet, settings, context);
  if (failure !== undefined) return failure;

  const message = decodeAdvertisement(payload, settings.family);
  if (message === undefined) return reject('length', `vrrp packet too short, length ${payload.length}`);
  if (payload.length > Math.max(message.length, paddedBytesMax))
    return reject('length', `vrrp packet too long, length ${payload.length} and expect ${message.length}`);
  const fields = checkFields(message, settings);
  if (fields !== undefined) return fields;
  const checksum = checksumForm(payload, message, settings.family, packet, multicastGroup(settings));
  const isOther =
    settings.version === 3 && settings.family === 'ipv4' && (checksum === 'plain') !== settings.checksumAsV2;
  const refused = isOther && settings.otherChecksumRefused === true;
  if (checksum === undefined || refused) return reject('checksum', `Invalid VRRPv${settings.version} checksum`);

  const remarks: ReceiveRemark[] = [];
  if (settings.version === 3 && settings.family === 'ipv4' && checksum === 'plain' && !settings.checksumAsV2)
    remarks.push('checksum-plain');
  if (checksum === 'group-pseudo-header') remarks.push('checksum-old-unicast');
  if (message.advertisementIntervalMs !== settings.advertisementIntervalMs) remarks.push('interval-differs');
  const trusted = settings.skipCheckAdvertisedAddresses && context.followed === packet.source;
  if (!trusted) {
    const difference = addressListDifference(message, settings);
    if (difference !== undefined && !settings.addressListMismatchAccepted) return reject('address-list', difference);
    if (difference !== undefined) remarks.push('address-list-differs');
  }
  const { priority, advertisementIntervalMs } = message;
  const heard = { source: packet.source, priority, advertisementIntervalMs };
  return { kind: 'accepted', heard, advertisement: message, checksum, remarks, sequence };
}

/** What the IP header tells. */
function checkHeader(packet: PacketFacts, settings: VirtualRouterSettings, context: ReceiveContext) {
  const { transport } = settings;
  if (packet.source === context.ownAddress) return reject('own', 'own packet came back');
  // RFC 9568 §6.4.3: in Active state. One that does not serve, or was handed over, must hear whoever serves instead.
  if (settings.ownerIgnoresAdvertisements === true && context.active === true)
    return reject('owner', 'the address owner ignores advertisements');
  const multicast = isMulticast(packet.destination);
  if (multicast !== (transport.kind === 'multicast'))
    return reject(
      'cast',
      `Expected ${multicast ? 'un' : 'mult'}icast packet but received ${multicast ? 'mult' : 'un'}icast packet`,
    );
  if (transport.kind === 'multicast') {
    if (packet.ttl !== 255) return reject('ttl', `invalid TTL/HL. Received ${packet.ttl} and expect 255`);
    return undefined;
  }
  const peer = transport.peers.find(({ address }) => address === packet.source);
  if (peer === undefined)
    return transport.checkSource
      ? reject('source', `unicast source address ${packet.source} not a unicast peer`)
      : undefined;
  const { ttlMin = 0, ttlMax = 255 } = peer;
  if (packet.ttl < ttlMin || packet.ttl > ttlMax)
    return reject('ttl', `TTL/HL ${packet.ttl} not in range ${ttlMin} - ${ttlMax}`);
  return undefined;
}

/** Takes the authentication header off, where the instance has one. */
function unwrap(packet: PacketFacts, settings: VirtualRouterSettings, context: ReceiveContext) {
  const { authentication, transport } = settings;
  const plain = { payload: packet.payload, failure: undefined, sequence: context.sequence };
  if (authentication.kind !== 'ah') return plain;
  const opened = authenticate(packet, passwordBytes(authentication.password), transport.kind === 'unicast');
  if (opened === 'length') return { ...plain, failure: reject('length', 'IPv4 VRRP packet with AH too short') };
  if (opened === 'digest')
    return {
      ...plain,
      failure: reject(
        'authentication-failure',
        'IPSEC-AH : invalid IPSEC HMAC-MD5 value. Due to fields mutation or bad password !',
      ),
    };
  if (opened.sequence <= context.sequence)
    return {
      ...plain,
      failure: reject(
        'authentication-failure',
        `IPSEC-AH : sequence number ${opened.sequence} already processed. Packet dropped. Local(${context.sequence})`,
      ),
    };
  return { payload: opened.payload, failure: undefined, sequence: opened.sequence };
}

function checkFields(message: Advertisement, settings: VirtualRouterSettings) {
  if (message.version !== settings.version)
    return reject('version', `wrong version. Received ${message.version} and expect ${settings.version}`);
  if (message.type !== advertisementType)
    return reject('type', `Invalid packet type. ${message.type} and expect ${advertisementType}`);
  if (message.virtualRouterId !== settings.virtualRouterId)
    return reject(
      'virtual-router-id',
      `received VRID mismatch. Received ${message.virtualRouterId}, Expected ${settings.virtualRouterId}`,
    );
  if (settings.version === 2) return checkVersion2(message, settings);
  return undefined;
}

function checkVersion2(message: Advertisement, settings: VirtualRouterSettings) {
  const expected = authenticationTypes[settings.authentication.kind];
  if (message.authenticationType > 2)
    return reject('authentication-type', `Invalid auth type: ${message.authenticationType}`);
  if (message.authenticationType !== expected)
    return reject('authentication-mismatch', `received a ${message.authenticationType} auth, expecting ${expected}!`);
  if (settings.authentication.kind === 'pass' && settings.family === 'ipv4') {
    const password = passwordBytes(settings.authentication.password);
    if (!password.every((byte, index) => byte === message.authentication[index]))
      return reject('authentication-failure', 'received an invalid passwd!');
  }
  if (message.advertisementIntervalMs !== settings.advertisementIntervalMs)
    return reject(
      'interval',
      `advertisement interval mismatch mine=${settings.advertisementIntervalMs / 1000} sec rcv'd=${message.advertisementIntervalMs / 1000} sec`,
    );
  return undefined;
}

/** In words what differs between the advertised addresses and ours, in any order; undefined when nothing does. */
function addressListDifference(message: Advertisement, settings: VirtualRouterSettings): string | undefined {
  if (message.addresses.length !== settings.addresses.length)
    return `expected ${settings.addresses.length} VIPs but received ${message.addresses.length}`;
  const missing = settings.addresses.find(({ address }) => !message.addresses.includes(address));
  if (missing === undefined) return undefined;
  return `ip address associated with VRID ${settings.virtualRouterId} not present in MASTER advert: ${missing.address}`;
}

function multicastGroup(settings: VirtualRouterSettings): string {
  return settings.transport.kind === 'multicast' ? settings.transport.group : multicastGroups[settings.family];
}

function isMulticast(address: string): boolean {
  if (address.includes(':')) return address.toLowerCase().startsWith('ff');
  const first = Number.parseInt(address, 10);
  return first >= 224 && first <= 239;
}

function reject(error: ReceiveError, message: string) {
  return { kind: 'rejected', error, message } as const;
}
