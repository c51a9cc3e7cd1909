/**
 * Conversations through a balancer, each drawn from a seed that both ends know: how much goes which way, who ends how. Each says what was wrong
 * by throwing; what the balancer must have logged of it is its answer.
 */
import { connect, type Socket } from 'node:net';
import { chance } from '../contract/party.ts';
import { content, type Draw, drawLength, End } from './end.ts';

/** Bytes down and up as the log must have them. */
export interface Logged {
  readonly port: number;
  readonly down: number;
  readonly up: number;
}

type Ending = 'whole' | 'client-resets' | 'server-resets';

interface Plan {
  readonly seed: number;
  readonly up: number;
  readonly down: number;
  readonly ending: Ending;
  /** Where it breaks off, of what its breaker sends. */
  readonly at: number;
  /** The server begins to answer with the first bytes rather than behind the last. */
  readonly atOnce: boolean;
}

function planOf(seed: number): Plan {
  const draw = chance(seed);
  const up = drawLength(draw);
  const down = drawLength(draw);
  const ending = (['client-resets', 'server-resets'] as const)[draw(10)] ?? 'whole';
  const at = draw(ending === 'client-resets' ? up : down);
  return { seed, up, down, ending, at, atOnce: draw(2) === 0 };
}

/** Different for each end, so that they don't move in step. */
function draws(seed: number, side: number): Draw {
  return chance(Math.imul(seed, 31) + side);
}

function must(right: boolean, what: string): void {
  if (!right) throw new Error(what);
}

// ---------------------------------------------------------------- TCP

const seedBytes = 4;

export async function tcpClient(port: number, seed: number): Promise<Logged | undefined> {
  const plan = planOf(seed);
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  const end = new End(socket, draws(seed, 1));
  const hello = Buffer.alloc(seedBytes);
  hello.writeUInt32BE(seed);
  const sending = (async () => {
    await end.send(hello);
    const up = content(seed, plan.up);
    if (plan.ending === 'client-resets') {
      await end.send(up.subarray(0, plan.at));
      end.reset();
    } else if (await end.send(up)) socket.end();
  })();
  const came = await end.expect(content(seed + 1, plan.down));
  const local = socket.localPort;
  await sending;
  if (plan.ending === 'whole') {
    must(came === plan.down, `${came} of ${plan.down} bytes came down`);
    must(await end.expectEnd(), 'something behind the last byte');
  }
  await end.gone();
  return plan.ending === 'whole' && local !== undefined
    ? { port: local, down: plan.down, up: plan.up + seedBytes }
    : undefined;
}

export async function tcpServer(socket: Socket): Promise<void> {
  const end = new End(socket, () => 1);
  let hello = Buffer.alloc(0);
  while (hello.length < seedBytes) {
    const piece = await end.read(seedBytes - hello.length);
    if (piece === undefined) return;
    hello = Buffer.concat([hello, piece]);
  }
  const plan = planOf(hello.readUInt32BE());
  end.draw = draws(plan.seed, 2);
  const down = content(plan.seed + 1, plan.down);
  const answer = async () => {
    if (plan.ending === 'server-resets') {
      await end.send(down.subarray(0, plan.at));
      end.reset();
    } else if (await end.send(down)) socket.end();
  };
  const answering = plan.atOnce ? answer() : undefined;
  const came = await end.expect(content(plan.seed, plan.up));
  await (answering ?? answer());
  if (plan.ending !== 'whole') return;
  must(came === plan.up, `${came} of ${plan.up} bytes came up`);
  must(await end.expectEnd(), 'something behind the last byte');
}

// ---------------------------------------------------------------- HTTP

const requestsMax = 4;

/** Some requests on one connection; in a third of them the next doesn't wait for the answer. */
export async function httpClient(port: number, seed: number): Promise<Logged | undefined> {
  const draw = draws(seed, 3);
  const socket = connect({ port, host: '127.0.0.1' });
  const end = new End(socket, draw);
  const pipelined = draw(3) === 0;
  const plans = Array.from({ length: 1 + draw(requestsMax) }, (_, i) => planOf(seed * requestsMax + i)).filter(
    (plan) => !pipelined || plan.ending === 'whole',
  );
  let sent: Promise<unknown> = Promise.resolve();
  const request = async (plan: Plan): Promise<void> => {
    const head = `POST /${plan.seed} HTTP/1.1\r\nHost: test\r\nContent-Length: ${plan.up}\r\n\r\n`;
    const up = content(plan.seed, plan.up);
    const breaks = plan.ending === 'client-resets';
    await end.send(Buffer.concat([Buffer.from(head), breaks ? up.subarray(0, plan.at) : up]));
    if (breaks) end.reset();
  };
  for (const plan of plans) if (pipelined) sent = sent.then(() => request(plan));
  for (const plan of plans) {
    if (!pipelined) sent = request(plan);
    const head = await end.head();
    const breaks = plan.ending !== 'whole';
    if (breaks && (head === undefined || !head.startsWith('HTTP/1.1 200 '))) break;
    must(head !== undefined, `no answer to ${plan.seed}`);
    must(head!.startsWith('HTTP/1.1 200 '), `answer to ${plan.seed}: ${head!.slice(0, 40)}`);
    must(Number(/^content-length: *(\d+)/im.exec(head!)?.[1]) === plan.down, `length of the answer to ${plan.seed}`);
    const came = await end.expect(content(plan.seed + 1, plan.down));
    if (breaks) break;
    must(came === plan.down, `${came} of ${plan.down} bytes of the answer to ${plan.seed}`);
    await sent.catch(() => {});
  }
  end.socket.destroy();
  await sent;
  await end.gone();
  return undefined;
}

export async function httpServer(socket: Socket): Promise<void> {
  const end = new End(socket, draws(socket.remotePort ?? 0, 4));
  for (;;) {
    const head = await end.head();
    if (head === undefined) break;
    const plan = planOf(Number(/^POST \/(\d+) /.exec(head)?.[1]));
    const down = content(plan.seed + 1, plan.down);
    const breaks = plan.ending === 'server-resets';
    // The last byte waits for the whole request: an answer that is over before ends the request, too.
    const most = breaks ? plan.at : plan.down - 1;
    const answer = async () => {
      const bytes = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${plan.down}\r\n\r\n`);
      await end.send(Buffer.concat([bytes, down.subarray(0, most)]));
      if (breaks) end.reset();
    };
    const answering = plan.atOnce ? answer() : undefined;
    const came = await end.expect(content(plan.seed, plan.up));
    await (answering ?? answer());
    if (plan.ending !== 'whole') break;
    must(came === plan.up, `${came} of ${plan.up} bytes of the request ${plan.seed}`);
    await end.send(down.subarray(most));
  }
  socket.destroy();
}
