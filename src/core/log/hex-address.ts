/** The flag X on an address: its bytes as upper-case hexadecimal (`7F000001`); names that are no address stay as they are. */
export function hexAddress(host: string): string {
  const bytes = host.includes(':') ? ipv6Bytes(host) : ipv4Bytes(host);
  return bytes === undefined ? host : bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('');
}

function ipv4Bytes(host: string): number[] | undefined {
  return /^\d+\.\d+\.\d+\.\d+$/.test(host) ? host.split('.').map(Number) : undefined;
}

function ipv6Bytes(host: string): number[] {
  const [head, tail] = host.split('::') as [string, string | undefined];
  const before = groupBytes(head);
  const after = tail === undefined ? [] : groupBytes(tail);
  return [...before, ...new Array<number>(Math.max(0, 16 - before.length - after.length)).fill(0), ...after];
}

function groupBytes(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    const embedded = ipv4Bytes(group);
    if (embedded !== undefined) return embedded;
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}
