/** In-kernel forwarding: a BPF program that gives what arrives on one socket of a pair to the other (BPF_MAP_TYPE_SOCKHASH, sk_skb verdict). */
import { errno, errorName, libc, linux } from '../../src/adapters/libc.ts';
import { mapBytes } from '../../src/adapters/uring/ledger.ts';
import { putAddress } from '../../src/adapters/uring/ring.ts';

const bpfCall = 321; // x86-64
const command = { MAP_CREATE: 0, MAP_UPDATE_ELEM: 2, PROG_LOAD: 5, PROG_ATTACH: 8 } as const;
const mapTypeSockhash = 18;
const programTypeSkSkb = 14;
const attachSkSkbVerdict = 38;
const soCookie = 57;
const pairsMax = 65_536;

const c = libc()!;
const memory = mapBytes(16_384, -1, 0)!;
const words = new Uint32Array(memory.bytes.buffer);
/** Places in that memory: the call's attributes, the program, its licence, key and value, the verifier's words. */
const place = { attributes: 0, program: 1024, licence: 2048, key: 2304, value: 2312, log: 4096 } as const;

export class SocketMap {
  readonly #map: number;

  /** Throws an Error with the kernel's error number when it can't or may not. */
  constructor() {
    this.#map = bpf('MAP_CREATE', [mapTypeSockhash, 8, 4, pairsMax]);
    const count = program(this.#map);
    words.fill(0, 0, 32);
    memory.bytes.set(Buffer.from('GPL\0'), place.licence);
    words[0] = programTypeSkSkb;
    words[1] = count;
    putAddress(words, 2, memory.address + place.program);
    putAddress(words, 4, memory.address + place.licence);
    words[6] = 1;
    words[7] = 12_288;
    putAddress(words, 8, memory.address + place.log);
    words[17] = attachSkSkbVerdict;
    const loaded = call('PROG_LOAD');
    bpf('PROG_ATTACH', [this.#map, loaded, attachSkSkbVerdict, 0]);
  }

  /** From now on the kernel passes bytes between the two. What had arrived before is passed here. @returns false when one of them has ended already. */
  join(a: number, b: number): boolean {
    if (!this.#add(a, b) || !this.#add(b, a)) return false;
    const bytes = new Uint8Array(65_536);
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const length = c.recvfrom(from, bytes, bytes.length, linux.MSG_DONTWAIT, null, null);
      if (length > 0) c.sendto(to, bytes, length, linux.MSG_NOSIGNAL, null, 0);
    }
    return true;
  }

  #add(from: number, to: number): boolean {
    const cookie = new Uint8Array(8);
    const length = new Uint8Array(new Uint32Array([8]).buffer);
    if (c.getsockopt(from, linux.SOL_SOCKET, soCookie, cookie, length) < 0) throw new Error('no cookie');
    memory.bytes.set(cookie, place.key);
    words[place.value >> 2] = to;
    words.fill(0, 0, 32);
    words[0] = this.#map;
    putAddress(words, 2, memory.address + place.key);
    putAddress(words, 4, memory.address + place.value);
    return c.syscall(bpfCall, command.MAP_UPDATE_ELEM, memory.address, 128, 0, 0, 0) >= 0;
  }
}

/** redirect(hash, cookie of the socket it came on). @returns the number of instructions. */
function program(map: number): number {
  const instructions: readonly (readonly [code: number, registers: number, offset: number, immediate: number])[] = [
    [0xbf, 0x16, 0, 0], // r6 = r1
    [0x85, 0, 0, 46], // r0 = get_socket_cookie(r1)
    [0x7b, 0x0a, -8, 0], // *(u64 *)(r10 - 8) = r0
    [0xbf, 0x61, 0, 0], // r1 = r6
    [0x18, 0x12, 0, map], // r2 = map
    [0, 0, 0, 0],
    [0xbf, 0xa3, 0, 0], // r3 = r10
    [0x07, 0x03, 0, -8], // r3 += -8
    [0xb7, 0x04, 0, 0], // r4 = 0
    [0x85, 0, 0, 72], // r0 = sk_redirect_hash(r1, r2, r3, r4)
    [0x95, 0, 0, 0],
  ];
  for (const [i, [code, registers, offset, immediate]] of instructions.entries()) {
    const at = (place.program >> 2) + i * 2;
    words[at] = code | (registers << 8) | ((offset & 0xffff) << 16);
    words[at + 1] = immediate;
  }
  return instructions.length;
}

function bpf(name: keyof typeof command, values: readonly number[]): number {
  words.fill(0, 0, 32);
  for (const [i, value] of values.entries()) words[i] = value;
  return call(name);
}

function call(name: keyof typeof command): number {
  const result = c.syscall(bpfCall, command[name], memory.address, 128, 0, 0, 0);
  if (result >= 0) return result;
  const reason = errorName(errno());
  const log = Buffer.from(memory.bytes.subarray(place.log)).toString('latin1').split('\0')[0];
  throw new Error(`bpf ${name}: ${reason} ${log}`);
}
