/**
 * Capabilities that the file of the Node binary permits (`setcap …+p`), made effective. In a container this is how a process that is not
 * root gets them: the flag `e` on the file would do the same, but then the program could not be started at all where the container was given
 * fewer (capabilities(7), "Safety checking for capability-dumb binaries").
 */
import { libc, stableBytes } from './libc.ts';

const capget = process.arch === 'arm64' ? 90 : 125;
const capset = process.arch === 'arm64' ? 91 : 126;
const version3 = 0x2008_0522;

/** To be called before threads are made: they inherit it. Does nothing when there is nothing to gain. */
export function raiseCapabilities(): void {
  const c = libc();
  if (c === undefined || process.getuid?.() === 0) return;
  // struct __user_cap_header_struct, then two of __user_cap_data_struct { effective, permitted, inheritable }
  const { bytes, address } = stableBytes(32);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  view.setUint32(0, version3, true);
  const [header, data] = [Number(address), Number(address) + 8];
  if (c.syscall(capget, header, data, 0, 0, 0, 0) !== 0) return;
  let gained = false;
  for (const at of [8, 20]) {
    const permitted = view.getUint32(at + 4, true);
    if (view.getUint32(at, true) !== permitted) gained = true;
    view.setUint32(at, permitted, true);
  }
  if (gained) c.syscall(capset, header, data, 0, 0, 0, 0);
}
