/** The flag X on an address: its bytes as upper-case hexadecimal (`7F000001`); what is no address stays as it is. */
import { ipBytes } from '../address.ts';

export function hexAddress(host: string): string {
  const bytes = ipBytes(host);
  return bytes === undefined
    ? host
    : Array.from(bytes, (byte) => byte.toString(16).toUpperCase().padStart(2, '0')).join('');
}
