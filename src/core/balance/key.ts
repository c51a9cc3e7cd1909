/**
 * The hash of a request's balance key (manual 4.2 `balance source|uri|hdr`), as HAProxy computes it, over bytes where they lie.
 */
import { ipBytes } from '../address.ts';
import { avalanche, crc32, djb2, type HashFunction, sdbm, wt6 } from './hash.ts';

/** The words of `balance` and `hash-type` that say what is hashed and how. */
export interface KeyChoice {
  readonly algorithm: string;
  readonly uriWhole: boolean;
  /** Bytes of the target that count, 0 = all. */
  readonly uriLength: number;
  /** Directory levels that count, 0 = all. */
  readonly uriDepth: number;
  readonly uriPathOnly: boolean;
  readonly headerName: string;
  readonly headerDomainOnly: boolean;
  readonly hashFunction: 'sdbm' | 'djb2' | 'wt6' | 'crc32' | 'none';
  readonly hashAvalanche: boolean;
}

/** What to pass to `hash`: nothing, the client's address, the request target, or the value of the field `headerName`. */
export type KeyKind = 'none' | 'source' | 'uri' | 'header';

export class BalanceKey {
  readonly kind: KeyKind;
  /** For kind `header`, in lower case. */
  readonly headerName: string;
  readonly #choice: KeyChoice;
  readonly #function: HashFunction;

  constructor(choice: KeyChoice) {
    this.#choice = choice;
    this.kind = keyKinds.get(choice.algorithm) ?? 'none';
    this.headerName = choice.headerName.toLowerCase();
    this.#function = functions[choice.hashFunction];
  }

  /**
   * @param buffer holds the key in [start, end): address bytes (4 or 16), the request target as received, or the value of the first such field.
   * @returns an unsigned 32-bit hash, or -1 when there is no key (the request then gets its server by turns).
   */
  hash(buffer: Uint8Array, start: number, end: number): number {
    switch (this.kind) {
      case 'none':
        return -1;
      case 'source':
        return this.#source(buffer, start, end);
      case 'uri':
        return this.#uri(buffer, start, end);
      case 'header':
        return this.#header(buffer, start, end);
    }
  }

  /** The hash of a client's address, -1 for a client without one (unix socket). */
  hashAddress(host: string): number {
    const bytes = ipBytes(host);
    return bytes === undefined ? -1 : this.#source(bytes, 0, bytes.length);
  }

  /** The address's 32-bit words combined; `hash-type`'s function does not apply, only its modifier. */
  #source(buffer: Uint8Array, start: number, end: number): number {
    let hash = 0;
    for (let at = start; at + 4 <= end; at += 4)
      hash ^= (buffer[at] << 24) | (buffer[at + 1] << 16) | (buffer[at + 2] << 8) | buffer[at + 3];
    return this.#choice.hashAvalanche ? avalanche(hash) : hash >>> 0;
  }

  #uri(buffer: Uint8Array, start: number, end: number): number {
    const { uriLength, uriDepth, uriWhole, uriPathOnly } = this.#choice;
    const from = uriPathOnly ? pathStart(buffer, start, end) : start;
    const last = uriLength > 0 ? Math.min(end, from + uriLength) : end;
    let slashes = 0;
    let at = from;
    for (; at < last; at++) {
      if (buffer[at] === slash) {
        slashes++;
        if (uriDepth > 0 && slashes === uriDepth + 1) break;
      } else if (buffer[at] === questionMark && !uriWhole) break;
    }
    return this.#mix(buffer, from, at);
  }

  #header(buffer: Uint8Array, start: number, end: number): number {
    const last = firstElementEnd(buffer, start, end);
    if (last === start) return -1;
    if (!this.#choice.headerDomainOnly) return this.#mix(buffer, start, last);
    // `use_domain_only`: "www.example.org" counts as "example", and so does "example.org".
    let domainEnd = last;
    while (domainEnd > start && buffer[domainEnd - 1] !== dot) domainEnd--;
    if (domainEnd === start) return this.#mix(buffer, start, last);
    domainEnd--;
    let domainStart = domainEnd;
    while (domainStart > start && buffer[domainStart - 1] !== dot) domainStart--;
    return this.#mix(buffer, domainStart, domainEnd);
  }

  #mix(buffer: Uint8Array, start: number, end: number): number {
    const hash = this.#function(buffer, start, end);
    return this.#choice.hashAvalanche ? avalanche(hash) : hash;
  }
}

const slash = 0x2f;
const questionMark = 0x3f;
const dot = 0x2e;

const keyKinds: ReadonlyMap<string, KeyKind> = new Map([
  ['source', 'source'],
  ['uri', 'uri'],
  ['hdr', 'header'],
]);

const functions: Readonly<Record<KeyChoice['hashFunction'], HashFunction>> = {
  sdbm,
  djb2,
  wt6,
  crc32,
  // `none` takes the key as the hash; keys of this version are texts, of which it takes the number they spell.
  none: decimal,
};

function decimal(buffer: Uint8Array, start: number, end: number): number {
  let value = 0;
  for (let at = start; at < end && buffer[at] >= 0x30 && buffer[at] <= 0x39; at++)
    value = (Math.imul(value, 10) + buffer[at] - 0x30) >>> 0;
  return value;
}

/** Where the path of a request target begins: behind scheme and authority of an absolute URI (RFC 9112 §3.2.2). */
function pathStart(buffer: Uint8Array, start: number, end: number): number {
  if (start === end || buffer[start] === slash || buffer[start] === 0x2a) return start;
  let at = start;
  while (at < end && buffer[at] !== slash) at++;
  if (at + 1 >= end || buffer[at + 1] !== slash) return end;
  at += 2;
  while (at < end && buffer[at] !== slash) at++;
  return at;
}

/** HAProxy looks at the first element of a comma-separated list. */
function firstElementEnd(buffer: Uint8Array, start: number, end: number): number {
  let at = start;
  for (let quoted = false; at < end && (quoted || buffer[at] !== 0x2c); at++) if (buffer[at] === 0x22) quoted = !quoted;
  while (at > start && (buffer[at - 1] === 0x20 || buffer[at - 1] === 0x09)) at--;
  return at;
}
