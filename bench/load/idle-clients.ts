/**
 * Opens connections, makes one request on each, and keeps them open until standard input ends. Prints how many stand.
 *
 * node bench/load/idle-clients.ts <port> <count> <path>
 */
import { connect, type Socket } from 'node:net';

const [port, count, path] = process.argv.slice(2);
/** Connections that are being opened at a time: fewer than any proxy's backlog. */
const atOnce = 64;
const request = `GET ${path} HTTP/1.1\r\nHost: bench\r\n\r\n`;
const open: Socket[] = [];
let failed = 0;
let started = 0;

function next(): void {
  if (started === Number(count)) {
    if (open.length + failed === started) process.stdout.write(`${open.length}\n`);
    return;
  }
  started++;
  const socket = connect(Number(port), '127.0.0.1', () => socket.write(request));
  let answered = false;
  socket.on('data', () => {
    if (answered) return;
    answered = true;
    open.push(socket);
    next();
  });
  socket.once('error', () => {
    if (answered) return;
    failed++;
    next();
  });
}

for (let i = 0; i < atOnce; i++) next();
process.stdin.on('end', () => process.exit(0)).resume();
