/**
 * Stand-ins for the servers of one host: `node web-server.ts '<HostedService[] as JSON>'`. Each answers every path with a page that says who
 * it is, and the health check as configured. Also a log receiver that takes and forgets (`logs`).
 *
 * Behaviour can be changed while it runs, by a line on standard input: `ok`, `status <code>`, `slow <ms>`, `mute` (accepts, never answers).
 */
import { createSocket } from 'node:dgram';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createInterface } from 'node:readline';
import type { HostedService } from './hosted-service.ts';
import { ownMachine } from './own-machine.ts';

ownMachine();

const services = JSON.parse(process.argv[2] ?? '[]') as HostedService[];
let behaviour = ['ok'];
let waiting = services.length;

for (const service of services) {
  if (service.kind === 'log') {
    const receiver = createSocket(service.host.includes(':') ? 'udp6' : 'udp4');
    receiver.on('error', () => ready());
    receiver.bind(service.port, service.host, ready);
  } else
    createServer({ keepAliveTimeout: 60_000 }, (request, response) => answer(service, request, response)).listen(
      { port: service.port, host: service.host, backlog: 1024 },
      ready,
    );
}

function ready(): void {
  if (--waiting === 0) process.stdout.write('listening\n');
}

function answer(service: HostedService, request: IncomingMessage, response: ServerResponse): void {
  const [word, value] = behaviour;
  if (word === 'mute') return;
  if (word === 'slow') setTimeout(() => page(service, request, response, 200), Number(value));
  else page(service, request, response, word === 'status' ? Number(value) : 200);
}

function page(service: HostedService, request: IncomingMessage, response: ServerResponse, status: number): void {
  const { title, check } = service;
  const checked = check !== undefined && request.method === check.method && request.url === check.path;
  const words = checked ? check.contains : '';
  const text = `<!doctype html><html><head><title>${title}</title></head><body><h1>${title}</h1>${words}</body></html>\n`;
  response.writeHead(checked && status === 200 ? check.status : status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'X-Served-By': title,
  });
  response.end(request.method === 'HEAD' ? '' : text);
}

createInterface(process.stdin).on('line', (line) => {
  behaviour = line.trim().split(/\s+/);
  process.stdout.write('changed\n');
});
process.stdin.on('end', () => process.exit(0));
process.on('SIGINT', () => {});
