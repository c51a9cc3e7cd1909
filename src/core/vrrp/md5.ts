/** MD5 (RFC 1321) and HMAC-MD5 (RFC 2104): only for the authentication header of version 2, where nothing else is allowed. */

export function hmacMd5(key: Uint8Array, message: Uint8Array): Uint8Array {
  const short = key.length > 64 ? md5(key) : key;
  const inner = new Uint8Array(64 + message.length).fill(0x36, 0, 64);
  const outer = new Uint8Array(64 + 16).fill(0x5c, 0, 64);
  for (let index = 0; index < short.length; index++) {
    inner[index]! ^= short[index]!;
    outer[index]! ^= short[index]!;
  }
  inner.set(message, 64);
  outer.set(md5(inner), 64);
  return md5(outer);
}

const shifts = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];
/** RFC 1321 §3.4: the integer part of 4294967296 times abs(sin(i)). */
const sines = Uint32Array.from({ length: 64 }, (_, index) => Math.floor(Math.abs(Math.sin(index + 1)) * 2 ** 32));

export function md5(message: Uint8Array): Uint8Array {
  const padded = new Uint8Array((Math.floor((message.length + 8) / 64) + 1) * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, message.length << 3, true);
  view.setUint32(padded.length - 4, message.length >>> 29, true);
  const state = Uint32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476);
  for (let block = 0; block < padded.length; block += 64) mix(state, view, block);
  const digest = new DataView(new ArrayBuffer(16));
  for (let index = 0; index < 4; index++) digest.setUint32(index * 4, state[index]!, true);
  return new Uint8Array(digest.buffer);
}

function mix(state: Uint32Array, view: DataView, block: number): void {
  let [a, b, c, d] = state as unknown as [number, number, number, number];
  for (let step = 0; step < 64; step++) {
    const round = step >> 4;
    let mixed: number;
    let word: number;
    if (round === 0) [mixed, word] = [(b & c) | (~b & d), step];
    else if (round === 1) [mixed, word] = [(d & b) | (~d & c), (5 * step + 1) & 15];
    else if (round === 2) [mixed, word] = [b ^ c ^ d, (3 * step + 5) & 15];
    else [mixed, word] = [c ^ (b | ~d), (7 * step) & 15];
    const sum = (a + mixed + sines[step]! + view.getUint32(block + word * 4, true)) | 0;
    const shift = shifts[round * 4 + (step & 3)]!;
    [a, d, c, b] = [d, c, b, (b + ((sum << shift) | (sum >>> (32 - shift)))) | 0];
  }
  state[0]! += a;
  state[1]! += b;
  state[2]! += c;
  state[3]! += d;
}
