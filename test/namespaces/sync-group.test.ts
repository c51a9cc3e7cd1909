/** Two addresses that move together: no request is lost at either, however the members of the group leave in an orderly way. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startDaemon, stop } from '../interop/daemons.ts';
import { needs } from '../requirements.ts';
import { until as untilWithin } from '../until.ts';
import { type TestHost, TestLab } from './lab.ts';

const until = (condition: () => boolean, what: string) => untilWithin(condition, 20_000, what);

const skip = needs('linux', 'root', 'namespaces', 'ip', 'nft');
const evergate = fileURLToPath(new URL('../../bin/evergate', import.meta.url));
const addresses = ['10.42.0.240', '10.42.0.241'];

const configuration = (priority: number) =>
  `vrrp_sync_group both {\n group {\n one\n two\n }\n}\n${addresses
    .map(
      (address, index) => `vrrp_instance ${['one', 'two'][index]} {
  interface eth0
  state BACKUP
  virtual_router_id ${51 + index}
  priority ${priority}
  advert_int 1
  virtual_ipaddress {
    ${address}/24
  }
}
`,
    )
    .join('')}`;

const server = (name: string) => `require('node:net').createServer((socket) => {
  socket.on('error', () => {});
  socket.end('${name}');
}).listen(80, '::');`;

/**
 * A new connection every 2 ms, to the addresses in turn. Prints who answers when that changes, and each that found nobody: one whose first
 * SYN nobody took gets its answer a second later (RFC 6298 §2, the first retransmission).
 */
const client = `const net = require('node:net');
const last = {};
let turn = 0;
setInterval(() => {
  const address = ${JSON.stringify(addresses)}[turn++ % 2];
  const from = performance.now();
  const socket = net.connect(80, address);
  socket.on('error', (error) => console.log('lost', address, error.code));
  socket.on('data', (name) => {
    if (performance.now() - from > 900) console.log('lost', address, 'for a while');
    if (last[address] !== String(name)) console.log(address, last[address] = String(name));
  });
}, 2);
`;

function ask(host: TestHost, word: string): string {
  return spawnSync('nsenter', [...host.enter, evergate, word], { encoding: 'utf8' }).stdout;
}

async function start(host: TestHost, priority: number, state: RegExp) {
  host.write('/run/keepalived.conf', configuration(priority));
  const program = startDaemon('evergate', host, '/run/keepalived.conf');
  await program.printed(state);
  return program;
}

test('both members hand over, come back and stop without a lost request', { skip, timeout: 90_000 }, async (t) => {
  const lab = await TestLab.create();
  t.after(() => lab.close());
  const first = await lab.host(['10.42.0.73/24']);
  const second = await lab.host(['10.42.0.38/24']);
  const visitor = await lab.host(['10.42.0.9/24']);
  first.start([process.execPath, '-e', server('first')]);
  second.start([process.execPath, '-e', server('second')]);
  const one = await start(first, 101, /\(two\) Entering MASTER STATE/);
  const two = await start(second, 100, /\(two\) Entering BACKUP STATE/);
  await until(() => ask(second, 'status').includes('watched'), 'a session between the two');
  const clients = visitor.start([process.execPath, '-e', client]);
  const answers = async (name: string, from: number) => {
    for (const address of addresses) await clients.printed(new RegExp(`${address} ${name}`), 10_000, from);
    // What was lost on the way tells so after its retransmission.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    for (const address of addresses) assert.equal((name === 'first' ? first : second).holds(address), true, address);
  };
  await answers('first', 0);
  for (let round = 0; round < 2; round++) {
    let from = clients.output.length;
    ask(first, 'handover');
    await answers('second', from);
    from = clients.output.length;
    ask(first, 'resume');
    await answers('first', from);
  }
  const from = clients.output.length;
  const ended = stop(one);
  await answers('second', from);
  assert.equal(await ended, 0);
  assert.doesNotMatch(clients.output, /lost/);
  assert.equal(await stop(two), 0);
});
