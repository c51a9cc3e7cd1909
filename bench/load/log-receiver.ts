/**
 * A syslog receiver that is there and reads: what it can't read in time the kernel drops, as with any other.
 *
 * node bench/load/log-receiver.ts <port>
 */
import { createSocket } from 'node:dgram';

createSocket({ type: 'udp4', recvBufferSize: 4 << 20 })
  .on('message', () => {})
  .bind(Number(process.argv[2]), '127.0.0.1');
