/** Words of `global` that the process acts on as a whole, seen from outside. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { type TestContext, test } from 'node:test';
import { freePort } from '../ports.ts';
import { needs } from '../requirements.ts';
import { Client, defaults, folderFor, getOnce, program, type Started, start, webServer, write } from './loopback.ts';

/** Starts the balancer with these lines of `global` and waits until it serves. */
async function balancer(t: TestContext, global: string): Promise<{ port: number; process: Started }> {
  const server = await webServer(t, 'hello');
  const port = await freePort();
  const file = write(
    folderFor(t),
    'haproxy.cfg',
    `global\n${global}\n description ready for the test\n${defaults}
listen web\n bind 127.0.0.1:${port}\n server one 127.0.0.1:${server.port}\n`,
  );
  const process = start(t, program, ['balance', '-f', file]);
  await process.said(/ready for the test/);
  return { port, process };
}

const onTwo = availableParallelism() < 2 ? 'needs two CPUs' : needs('linux');

test('cpu-map binds each worker thread to its CPUs', { skip: onTwo, timeout: 15_000 }, async (t) => {
  const { process } = await balancer(t, ' nbthread 2\n cpu-map auto:1/1-2 0-1');
  const allowed = readdirSync(`/proc/${process.pid}/task`).map(
    (task) => /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync(`/proc/${process.pid}/task/${task}/status`, 'utf8'))![1],
  );
  assert.equal(allowed.filter((cpus) => cpus === '0').length, 1);
  assert.equal(allowed.filter((cpus) => cpus === '1').length, 1);
});

test('cpu-map with a CPU that is not there: a warning, and it serves', { skip: onTwo, timeout: 15_000 }, async (t) => {
  const { port, process } = await balancer(t, ' nbthread 1\n cpu-map 1/1 63');
  assert.match(process.output(), /Worker thread 1 is not bound to CPUs 63 \(cpu-map\): the machine has none of them/);
  assert.equal((await getOnce(port)).body, 'hello');
});

test('ulimit-n is the limit of descriptors', { skip: needs('linux'), timeout: 15_000 }, async (t) => {
  const { process } = await balancer(t, ' nbthread 1\n maxconn 50\n ulimit-n 321');
  assert.match(readFileSync(`/proc/${process.pid}/limits`, 'utf8'), /^Max open files +321 +321 /m);
});

test('a maxconn that the descriptors do not allow is told', { skip: needs('linux'), timeout: 15_000 }, async (t) => {
  const { process } = await balancer(t, ' nbthread 1\n maxconn 5000\n ulimit-n 600');
  assert.match(process.output(), /\[WARNING\].*maxconn 5000 needs \d+ file descriptors, and 600 are allowed/);
});

test('without maxconn clients leave enough descriptors for the servers', { timeout: 20_000 }, async (t) => {
  const { port } = await balancer(t, ' nbthread 1\n ulimit-n 200');
  const idle = await Promise.all(Array.from({ length: 150 }, () => Client.connect({ port })));
  // The first ones are served; the last ones wait in the kernel, and none is refused.
  assert.equal((await idle[0]!.get('/')).status, 200);
  assert.equal((await idle[20]!.get('/')).status, 200);
  for (const client of idle.slice(0, -1)) client.close();
  assert.equal((await idle.at(-1)!.get('/')).status, 200);
  idle.at(-1)!.close();
});

test('grace: after the order to stop it takes connections for that long', { timeout: 15_000 }, async (t) => {
  const { port, process } = await balancer(t, ' nbthread 1\n grace 800');
  process.child.kill('SIGUSR1');
  // The signal has been taken when the balancer says what it doesn't say before; until then this is no less true.
  for (let i = 0; i < 5; i++) {
    assert.equal((await getOnce(port)).status, 200);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.doesNotMatch(process.output(), /Proxy web stopped/);
  await process.said(/Proxy web stopped/);
  assert.equal(await process.ended(), 0);
  await assert.rejects(getOnce(port));
});

test('quiet: nothing but errors', { timeout: 15_000 }, async (t) => {
  const server = await webServer(t, 'hello');
  const port = await freePort();
  const file = write(
    folderFor(t),
    'haproxy.cfg',
    `global\n quiet\n${defaults}\nlisten web\n bind 127.0.0.1:${port}\n server one 127.0.0.1:${server.port}\n`,
  );
  const process = start(t, program, ['balance', '-f', file]);
  for (;;) {
    const answered = await getOnce(port).then(
      () => true,
      () => false,
    );
    if (answered) break;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  process.child.kill('SIGTERM');
  assert.equal(await process.ended(), 0);
  assert.equal(process.output(), '');
});

for (const words of [' user nobody\n group nogroup', ' uid 65534\n gid 65534'])
  test(`the process becomes another user:${words.replace('\n', '')}`, {
    skip: needs('root'),
    timeout: 15_000,
  }, async (t) => {
    const { port, process } = await balancer(t, ` nbthread 1\n${words}`);
    const status = readFileSync(`/proc/${process.pid}/status`, 'utf8');
    assert.match(status, /^Uid:\s+65534\s+65534\s+65534\s+65534$/m);
    assert.match(status, /^Gid:\s+65534\s+65534\s+65534\s+65534$/m);
    assert.equal((await getOnce(port)).body, 'hello');
  });
