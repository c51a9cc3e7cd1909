/**
 * A stand-in web server: `node web-server.ts <port> <title>`. It answers every path with a page whose title says who it is.
 * Behaviour can be changed while it runs, by a line on standard input: `ok`, `status <code>`, `slow <ms>`, `mute` (accepts, never answers).
 */
import { createServer, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';

const port = Number(process.argv[2] ?? 80);
const title = process.argv[3] ?? 'server';
let behaviour = ['ok'];

const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
  const [word, value] = behaviour;
  if (word === 'mute') return;
  if (word === 'slow') setTimeout(() => answer(response, 200), Number(value));
  else answer(response, word === 'status' ? Number(value) : 200);
});

function answer(response: ServerResponse, status: number): void {
  const page = `<!doctype html><html><head><title>${title}</title></head><body><h1>${title}</h1></body></html>\n`;
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(page),
    'X-Served-By': title,
  });
  response.end(page);
}

server.listen(port, process.argv[4] ?? '0.0.0.0', () => process.stdout.write('listening\n'));
createInterface(process.stdin).on('line', (line) => {
  behaviour = line.trim().split(/\s+/);
});
process.stdin.on('end', () => process.exit(0));
process.on('SIGINT', () => {});
