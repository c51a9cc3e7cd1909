/** What ip-route(8)'s and ip-rule(8)'s words have in common: prefixes, names of numbers, and the bytes of attributes. */
import type { IpFamily } from '../core/address.ts';
import { addressToBytes } from './address-bytes.ts';
import { type NetlinkMessage, viewOf } from './netlink-message.ts';

export type BuiltMessage = { readonly message: NetlinkMessage } | { readonly failure: string };
export type Direction = 'add' | 'remove';
export type Attribute = readonly [type: number, value: Uint8Array];

export const RTPROT_KEEPALIVED = 18;

const tables: Readonly<Record<string, number>> = { default: 253, main: 254, local: 255 };

/** Names of other tables were looked up while the configuration was read. */
export function tableNumber(word: string): number | undefined {
  return numberOrName(word, tables);
}

/** The body's byte takes tables below 256; the attribute takes all. */
export function tableByte(table: number): number {
  return table < 256 ? table : 0;
}

export function parsePrefix(
  word: string,
  family: IpFamily,
): { readonly bytes: Uint8Array; readonly length: number } | undefined {
  if (word === 'default' || word === 'any' || word === 'all') return { bytes: new Uint8Array(0), length: 0 };
  const [address, length, ...rest] = word.split('/');
  const bytes = addressToBytes(family, address);
  if (bytes === undefined || rest.length > 0) return undefined;
  const bits = length === undefined ? bytes.length * 8 : Number(length);
  return Number.isInteger(bits) && bits >= 0 && bits <= bytes.length * 8 ? { bytes, length: bits } : undefined;
}

export function numberOrName(word: string, names: Readonly<Record<string, number>>): number | undefined {
  const number = names[word] ?? Number(word);
  return word !== '' && Number.isInteger(number) && number >= 0 ? number : undefined;
}

/** `realms [FROM/]TO`: both in one number, FROM above. */
export function realmsNumber(word: string): number | undefined {
  const parts = word.split('/').map(Number);
  const [first, second] = parts;
  if (parts.length > 2 || !parts.every((part) => Number.isInteger(part) && part >= 0 && part <= 65_535))
    return undefined;
  return second === undefined ? first : first! * 65_536 + second;
}

export function uint32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  viewOf(bytes).setUint32(0, value >>> 0, true);
  return bytes;
}

/** Text with its closing NUL. */
export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value + '\0');
}

/** Attributes one behind the other, each padded to four bytes, as they stand in a message (rtnetlink(7)). */
export function attributeBytes(attributes: readonly Attribute[]): Uint8Array {
  const padded = attributes.map(([, value]) => 4 + ((value.length + 3) & ~3));
  const bytes = new Uint8Array(padded.reduce((sum, length) => sum + length, 0));
  let at = 0;
  attributes.forEach(([type, value], index) => {
    viewOf(bytes).setUint16(at, 4 + value.length, true);
    viewOf(bytes).setUint16(at + 2, type, true);
    bytes.set(value, at + 4);
    at += padded[index]!;
  });
  return bytes;
}
