/**
 * Netlink messages as bytes: headers and attributes, written and read. No sockets here.
 *
 * A message is a 16-byte header (length, type, flags, sequence, port), a fixed body of its family, and attributes: length and type in
 * two bytes each, then the value, padded to four (netlink(7), rtnetlink(7)). All numbers are in the machine's byte order, which is
 * little-endian on every machine Node 26 has native Linux builds for.
 */

export const messageType = {
  error: 2,
  done: 3,
  newLink: 16,
  deleteLink: 17,
  getLink: 18,
  newAddress: 20,
  deleteAddress: 21,
  getAddress: 22,
  newRoute: 24,
  deleteRoute: 25,
  newNeighbour: 28,
  getNeighbour: 30,
  newRule: 32,
  deleteRule: 33,
} as const;

export const messageFlag = {
  request: 1,
  multi: 2,
  acknowledge: 4,
  replace: 0x100,
  exclusive: 0x200,
  create: 0x400,
  append: 0x800,
  dump: 0x300,
} as const;

/** Bytes of the header in front of every message. */
export const headerBytes = 16;

/** Longest message ever built here: a route with all its words takes about 300 bytes. */
const requestBytesMax = 2048;

/** Builds one message: fixed part first, then attributes in the order of the calls. */
export class NetlinkMessage {
  readonly #bytes = new Uint8Array(requestBytesMax);
  readonly #view = new DataView(this.#bytes.buffer);
  #length: number;

  /** @param body the family's fixed part (ifinfomsg, ifaddrmsg, rtmsg …), already padded to four bytes. */
  constructor(type: number, flags: number, body: Uint8Array) {
    this.#view.setUint16(4, type, true);
    this.#view.setUint16(6, flags, true);
    this.#bytes.set(body, headerBytes);
    this.#length = headerBytes + body.length;
  }

  bytes(type: number, value: Uint8Array): this {
    const at = this.#open(type);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
    return this.#close(at);
  }

  uint32(type: number, value: number): this {
    const at = this.#open(type);
    this.#view.setUint32(this.#length, value >>> 0, true);
    this.#length += 4;
    return this.#close(at);
  }

  uint16(type: number, value: number): this {
    const at = this.#open(type);
    this.#view.setUint16(this.#length, value, true);
    this.#length += 2;
    return this.#close(at);
  }

  uint8(type: number, value: number): this {
    return this.bytes(type, Uint8Array.of(value));
  }

  /** Text with its closing NUL, as interface names and labels are sent. */
  text(type: number, value: string): this {
    return this.bytes(type, new TextEncoder().encode(value + '\0'));
  }

  /** Attributes inside an attribute. */
  nest(type: number, inside: (message: this) => void): this {
    const at = this.#open(type);
    inside(this);
    return this.#close(at);
  }

  /** The finished message with its sequence number; a view that the next change overwrites. */
  finish(sequence: number): Uint8Array {
    this.#view.setUint32(0, this.#length, true);
    this.#view.setUint32(8, sequence, true);
    return this.#bytes.subarray(0, this.#length);
  }

  #open(type: number): number {
    const at = this.#length;
    this.#view.setUint16(at + 2, type, true);
    this.#length += 4;
    return at;
  }

  #close(at: number): this {
    this.#view.setUint16(at, this.#length - at, true);
    this.#length = align(this.#length);
    return this;
  }
}

/** One message of a datagram. `body` starts behind the header. */
export interface ReceivedMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  /** Port of the netlink socket whose request caused it; 0: the kernel by itself. */
  readonly port: number;
  readonly body: Uint8Array;
}

/** The messages of one datagram; stops at the first that is cut short. */
export function* readMessages(datagram: Uint8Array): Generator<ReceivedMessage> {
  const view = viewOf(datagram);
  for (let at = 0; at + headerBytes <= datagram.length; ) {
    const length = view.getUint32(at, true);
    if (length < headerBytes || at + length > datagram.length) return;
    yield {
      type: view.getUint16(at + 4, true),
      flags: view.getUint16(at + 6, true),
      sequence: view.getUint32(at + 8, true),
      port: view.getUint32(at + 12, true),
      body: datagram.subarray(at + headerBytes, at + length),
    };
    at += align(length);
  }
}

/** Attributes of a message body by type, starting behind the fixed part. With a type twice, the last one counts. */
export function readAttributes(body: Uint8Array, start: number): Map<number, Uint8Array> {
  const attributes = new Map<number, Uint8Array>();
  const view = viewOf(body);
  for (let at = start; at + 4 <= body.length; ) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > body.length) break;
    // The two highest bits say "nested" and "network byte order" (NLA_F_NESTED, NLA_F_NET_BYTEORDER).
    attributes.set(view.getUint16(at + 2, true) & 0x3fff, body.subarray(at + 4, at + length));
    at += align(length);
  }
  return attributes;
}

export function readText(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return new TextDecoder().decode(end < 0 ? value : value.subarray(0, end));
}

export function readUint32(value: Uint8Array | undefined): number | undefined {
  return value === undefined || value.length < 4 ? undefined : viewOf(value).getUint32(0, true);
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function align(length: number): number {
  return (length + 3) & ~3;
}
