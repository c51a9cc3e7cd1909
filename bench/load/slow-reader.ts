/**
 * One client that asks for large answers, again and again, and reads 64 KiB a second of them, until standard input ends.
 *
 * node bench/load/slow-reader.ts <port> <path>
 */
import { connect } from 'node:net';

const [port, path] = process.argv.slice(2);
const bytesAtATime = 6_554;
const everyMs = 100;
/** Asked ahead: there is always an answer waiting. */
const pipelined = 20;

const socket = connect(Number(port), '127.0.0.1');
socket.on('error', () => socket.destroy());
socket.write(`GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`.repeat(pipelined));
socket.on('readable', () => {});
setInterval(() => socket.read(bytesAtATime), everyMs);
process.stdin.on('end', () => process.exit(0)).resume();
