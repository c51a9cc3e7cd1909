/** recvmsg(2) with its buffers, on a 64-bit machine: a datagram, who sent it, and the header's facts as control messages. */
import { errno, type Libc, linux, stableBytes } from './libc.ts';
import { viewOf } from './netlink-message.ts';

/** An IP packet holds at most 65,535 bytes. */
const dataBytes = 65_536;
const nameBytes = 28;
const controlBytes = 256;

/** One for the process: reading is never interleaved. */
export interface ReceiveMessage {
  /** struct msghdr. */
  readonly header: Uint8Array;
  /** The sender: sockaddr_in or sockaddr_in6. */
  readonly name: Uint8Array;
  readonly data: Uint8Array;
  readonly control: Uint8Array;
  controlLength(): number;
  reset(): void;
}

let shared: ReceiveMessage | undefined;

export function receiveMessage(): ReceiveMessage {
  shared ??= makeMessage();
  return shared;
}

/** Reads one datagram into the shared message; its length, or undefined when none waits. */
export function receiveInto(c: Libc, fd: number, message: ReceiveMessage): number | undefined {
  for (;;) {
    message.reset();
    const length = c.recvmsg(fd, message.header, linux.MSG_DONTWAIT);
    if (length >= 0) return length;
    if (errno() !== linux.EINTR) return undefined;
  }
}

/** Calls `found` with level, type and bytes of each control message (cmsg(3)). */
export function eachControl(
  message: ReceiveMessage,
  found: (level: number, type: number, view: DataView, at: number) => void,
): void {
  const view = viewOf(message.control);
  for (let at = 0; at + 16 <= message.controlLength(); ) {
    const size = Number(view.getBigUint64(at, true));
    if (size < 16) return;
    found(view.getInt32(at + 8, true), view.getInt32(at + 12, true), view, at + 16);
    at += (size + 7) & ~7;
  }
}

function makeMessage(): ReceiveMessage {
  const name = stableBytes(nameBytes);
  const data = stableBytes(dataBytes);
  const control = stableBytes(controlBytes);
  const vector = stableBytes(16);
  const header = stableBytes(56);
  viewOf(vector.bytes).setBigUint64(0, data.address, true);
  viewOf(vector.bytes).setBigUint64(8, BigInt(dataBytes), true);
  const view = viewOf(header.bytes);
  view.setBigUint64(0, name.address, true);
  view.setBigUint64(16, vector.address, true);
  view.setBigUint64(24, 1n, true);
  view.setBigUint64(32, control.address, true);
  return {
    header: header.bytes,
    name: name.bytes,
    data: data.bytes,
    control: control.bytes,
    controlLength: () => Number(view.getBigUint64(40, true)),
    reset: () => {
      view.setUint32(8, nameBytes, true);
      view.setBigUint64(40, BigInt(controlBytes), true);
    },
  };
}
