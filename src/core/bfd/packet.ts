/**
 * BFD control packets (RFC 5880 §4.1), without authentication, as they travel on UDP port 3784 for single-hop sessions (RFC 5881) and on
 * port 4784 for multihop ones (RFC 5883).
 * Reading never throws; what RFC 5880 §6.8.6 wants discarded is undefined.
 */

export const controlPacketBytes = 24;
/** RFC 5881 §4: the destination port; the source port is chosen from 49152..65535. */
export const singleHopPort = 3784;
/** RFC 5883 §5. */
export const multihopPort = 4784;
/** RFC 5881 §5: what is sent with, and what must be received. */
export const singleHopTtl = 255;

export const sessionStates = ['admin-down', 'down', 'init', 'up'] as const;
export type SessionState = (typeof sessionStates)[number];

/** RFC 5880 §4.1 Diag. */
export const diagnostics = {
  none: 0,
  timeExpired: 1,
  echoFailed: 2,
  neighborDown: 3,
  forwardingReset: 4,
  pathDown: 5,
  concatenatedPathDown: 6,
  adminDown: 7,
} as const;

export interface ControlPacket {
  readonly state: SessionState;
  readonly diagnostic: number; // 0..31
  readonly poll: boolean;
  readonly final: boolean;
  readonly controlPlaneIndependent: boolean;
  readonly demand: boolean;
  readonly detectMultiplier: number; // 1..255
  readonly myDiscriminator: number; // not 0
  readonly yourDiscriminator: number; // 0 = not known yet
  readonly desiredMinTxMicros: number;
  readonly requiredMinRxMicros: number;
  readonly requiredMinEchoRxMicros: number;
}

export function encodeControlPacket(packet: ControlPacket): Uint8Array {
  const bytes = new Uint8Array(controlPacketBytes);
  const view = new DataView(bytes.buffer);
  bytes[0] = (1 << 5) | packet.diagnostic;
  bytes[1] =
    (sessionStates.indexOf(packet.state) << 6) |
    (packet.poll ? 0x20 : 0) |
    (packet.final ? 0x10 : 0) |
    (packet.controlPlaneIndependent ? 0x08 : 0) |
    (packet.demand ? 0x02 : 0);
  bytes[2] = packet.detectMultiplier;
  bytes[3] = controlPacketBytes;
  view.setUint32(4, packet.myDiscriminator);
  view.setUint32(8, packet.yourDiscriminator);
  view.setUint32(12, packet.desiredMinTxMicros);
  view.setUint32(16, packet.requiredMinRxMicros);
  view.setUint32(20, packet.requiredMinEchoRxMicros);
  return bytes;
}

/** The checks of RFC 5880 §6.8.6 that need no session; packets with authentication are refused, as ours have none. */
export function decodeControlPacket(bytes: Uint8Array): ControlPacket | undefined {
  if (bytes.length < controlPacketBytes) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = bytes[1]!;
  const length = bytes[3]!;
  const version = bytes[0]! >> 5;
  const authentication = (flags & 0x04) !== 0;
  const multipoint = (flags & 0x01) !== 0;
  if (version !== 1 || length < controlPacketBytes || length > bytes.length || authentication || multipoint)
    return undefined;
  const packet: ControlPacket = {
    state: sessionStates[flags >> 6]!,
    diagnostic: bytes[0]! & 31,
    poll: (flags & 0x20) !== 0,
    final: (flags & 0x10) !== 0,
    controlPlaneIndependent: (flags & 0x08) !== 0,
    demand: (flags & 0x02) !== 0,
    detectMultiplier: bytes[2]!,
    myDiscriminator: view.getUint32(4),
    yourDiscriminator: view.getUint32(8),
    desiredMinTxMicros: view.getUint32(12),
    requiredMinRxMicros: view.getUint32(16),
    requiredMinEchoRxMicros: view.getUint32(20),
  };
  if (packet.detectMultiplier === 0 || packet.myDiscriminator === 0) return undefined;
  if (packet.poll && packet.final) return undefined; // §6.8.7: never both
  if (packet.yourDiscriminator === 0 && (packet.state === 'init' || packet.state === 'up')) return undefined;
  return packet;
}
