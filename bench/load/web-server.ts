/**
 * The bench's own web server: GET /<bytes> answers with as many; a request with a body is answered when all of it has come.
 * Keep-alive, one request after the other; only what the load generators send is understood.
 *
 * node bench/load/web-server.ts <port>...
 */
import { createServer, type Socket } from 'node:net';

const heads = new Map<number, Buffer>();
const bodies = new Map<number, Buffer>();

function serve(socket: Socket): void {
  let left = 0;
  let head = '';
  let path = '';
  socket.on('error', () => socket.destroy());
  socket.on('data', (piece: Buffer) => {
    let at = 0;
    while (at < piece.length) {
      if (left > 0) {
        const taken = Math.min(left, piece.length - at);
        left -= taken;
        at += taken;
      } else {
        head += piece.toString('latin1', at);
        const end = head.indexOf('\r\n\r\n');
        if (end < 0) return;
        at = piece.length - (head.length - end - 4);
        path = head.slice(head.indexOf('/') + 1, head.indexOf(' ', head.indexOf('/')));
        left = Number(/\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0);
        head = '';
      }
      if (left === 0 && path !== '') {
        answer(socket, /^\d+$/.test(path) ? Number(path) : 0);
        path = '';
      }
    }
  });
}

function answer(socket: Socket, bytes: number): void {
  if (!heads.has(bytes)) {
    heads.set(bytes, Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${bytes}\r\n\r\n`));
    bodies.set(bytes, Buffer.alloc(bytes, 'x'));
  }
  socket.cork();
  socket.write(heads.get(bytes)!);
  socket.write(bodies.get(bytes)!);
  socket.uncork();
}

for (const port of process.argv.slice(2))
  createServer({ noDelay: true }, serve).listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 });
