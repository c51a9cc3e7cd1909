/** A link that returns: those behind it are asked for their hardware addresses at once, and who waits for an answer gets it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type TestHost, TestLab } from '../namespaces/lab.ts';
import { needs } from '../requirements.ts';
import { startDaemon, stop } from './daemons.ts';

const skip = needs('linux', 'root', 'namespaces', 'ip');

/** What the kernel waits between two questions, where it usually waits one second: whoever is answered sooner was asked for anew. */
const betweenQuestionsMs = 10_000;
const answeredMsMax = 2_000;
const servers = ['10.42.0.135', '2001:db8::135'];

const instance = (words: string) => `vrrp_instance web {
  interface eth0
  version 3
  virtual_router_id 51
  advert_int 0.1
  virtual_ipaddress {
    10.42.0.240
  }
  ${words}
}
`;

/** Nobody listens there: a refusal is the server's answer. */
const connect = `for (const host of ${JSON.stringify(servers)})
  require('node:net').connect(9, host).on('error', ({ code }) => console.log(host, code));`;

async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!holds()) {
    assert.ok(performance.now() < deadline, what);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

const incomplete = (host: TestHost) =>
  host
    .run('ip neighbour show dev eth0 nud incomplete')
    .split('\n')
    .filter((line) => servers.some((server) => line.startsWith(`${server} `))).length;

for (const words of ['', 'dont_track_primary'])
  test(`connections that wait for a hardware address when the link returns${words && `, ${words}`}`, {
    skip,
    timeout: 60_000,
  }, async () => {
    const lab = await TestLab.create();
    try {
      const host = await lab.host(['10.42.0.73/24', '2001:db8::73/64']);
      await lab.host(servers.map((address) => `${address}/${address.includes(':') ? 64 : 24}`));
      for (const family of ['ipv4', 'ipv6'])
        host.run(`sysctl -qw net.${family}.neigh.eth0.retrans_time_ms=${betweenQuestionsMs}`);
      host.write('/run/vrrp.conf', instance(words));
      const daemon = startDaemon('evergate', host, '/run/vrrp.conf');
      await daemon.printed(/Entering MASTER STATE/);
      host.cable(false);
      await until('the link goes', () => host.run('ip link show eth0').includes('NO-CARRIER'));
      const clients = host.start([process.execPath, '-e', connect]);
      await until('both are asked for', () => incomplete(host) === 2);
      host.cable(true);
      const from = performance.now();
      await clients.ended;
      const tookMs = performance.now() - from;
      for (const server of servers) assert.match(clients.output, new RegExp(`^${server} ECONNREFUSED$`, 'm'));
      assert.ok(tookMs < answeredMsMax, `answered after ${tookMs.toFixed(0)} ms`);
      assert.equal(await stop(daemon), 0);
    } finally {
      await lab.close();
    }
  });
