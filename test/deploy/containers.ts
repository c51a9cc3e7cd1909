/**
 * The shipped images and Compose files, unmodified, on a Docker engine of our own. Only what the base images are made of stands in:
 * no registry of images can be asked.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { monotonicMs } from '../../src/lab/prober/load.ts';
import { debianRoot, dockerPlugins, slim } from './bases.ts';
import { Engine, imagePackages } from './engine.ts';
import { answeredWithin, observed, type Seen, underLoad } from './load.ts';
import { Site } from './site.ts';

const virtualAddress = '10.42.0.240';
const files = new URL('../../deploy/docker/', import.meta.url).pathname;
const single = ['-f', `${files}compose.yaml`];
const pair = [...single, '-f', `${files}compose.ha.yaml`];
let site: Site;
let engine: Engine;

before(async () => {
  site = await Site.open('10.99.0.1');
  engine = new Engine(site);
  await engine.start(await dockerPlugins());
  await engine.standIns(await debianRoot('image', imagePackages, slim));
});

after(async () => {
  await engine?.docker(['compose', ...pair, 'down', '--timeout', '1']);
  await engine?.stop();
  await site?.close();
});

test('the files are what Compose accepts', async () => {
  await engine.must(['compose', ...single, 'config', '--quiet']);
  await engine.must(['compose', ...pair, 'config', '--quiet']);
});

test('the images are built; what ours adds to its base stays below 200 MB', async () => {
  await engine.must(['compose', ...single, 'build', '--quiet']);
  const size = async (image: string) =>
    Number(await engine.must(['image', 'inspect', '--format', '{{.Size}}', image])) / 1e6;
  const [image, base] = [await size('evergate'), await size('debian:bookworm-slim')];
  const added = image - base;
  console.log(`image: ${Math.round(image)} MB, of these ${Math.round(added)} MB on top of its base`);
  // The real debian:bookworm-slim is 75 MB.
  assert.ok(added < 200, `${added} MB`);
  const version = await engine.must(['run', '--rm', 'evergate', '--version']);
  assert.match(version, /^Evergate version .* Node v26/);
});

test('one balancer and three servers: requests through the published port, in turn', async () => {
  await engine.must(['compose', ...single, 'up', '--detach', '--wait']);
  const pages: string[] = [];
  for (let i = 0; i < 6; i++)
    pages.push(titleOf(await site.must(['curl', '-sS', '-m', '5', `http://${site.address}/`])));
  assert.deepEqual([...pages].sort(), ['server1', 'server1', 'server2', 'server2', 'server3', 'server3']);
  assert.deepEqual(pages.slice(0, 3), pages.slice(3), 'one after the other');
});

test('the balancer runs as a user of its own, with a read-only root and nothing it does not need', async () => {
  const container = 'evergate-balancer-1';
  const status = await engine.must(['exec', container, 'cat', '/proc/1/status']);
  assert.match(status, /^Uid:\s+10001\s/m);
  assert.match(status, /^CapBnd:\s+0000000000000400$/m, 'NET_BIND_SERVICE alone');
  assert.notEqual((await engine.docker(['exec', container, 'touch', '/opt/evergate/x'])).status, 0);
});

test('a server that is made anew, with another address, is found again', async () => {
  const address = async () =>
    await engine.must([
      'inspect',
      '--format',
      '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
      'evergate-server1-1',
    ]);
  const before = await address();
  await engine.must(['compose', ...single, 'rm', '--stop', '--force', 'server1']);
  // Its address goes to somebody else, who serves nothing.
  await engine.must([
    'run',
    '--detach',
    '--rm',
    '--name',
    'squatter',
    '--network',
    'evergate_default',
    'debian:bookworm-slim',
    'sleep',
    '600',
  ]);
  await engine.must(['compose', ...single, 'up', '--detach', '--no-recreate', 'server1']);
  assert.notEqual(await address(), before);
  const seen = new Set<string>();
  for (const until = monotonicMs() + 20_000; monotonicMs() < until && !seen.has('server1'); await pause(100))
    seen.add(titleOf((await site.run(['curl', '-s', '-m', '2', `http://${site.address}/`])).stdout));
  assert.ok(seen.has('server1'), [...seen].join(', '));
  await engine.must(['rm', '--force', 'squatter']);
});

test('an orderly stop loses nothing but the service itself, and takes no longer than it must', async () => {
  const from = monotonicMs();
  await engine.must(['stop', 'evergate-balancer-1']);
  assert.ok(monotonicMs() - from < 5000);
  assert.equal((await engine.must(['inspect', '--format', '{{.State.ExitCode}}', 'evergate-balancer-1'])).trim(), '0');
  await engine.must(['compose', ...single, 'down', '--timeout', '1']);
});

test('two balancers with a virtual address come up', async () => {
  await engine.must(['compose', ...pair, 'up', '--detach', '--wait']);
  await answers();
});

const faults: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['killed', ['kill', 'evergate-balancer-1'], ['start', 'evergate-balancer-1']],
  ['paused', ['pause', 'evergate-balancer-1'], ['unpause', 'evergate-balancer-1']],
  [
    'disconnected',
    ['network', 'disconnect', 'evergate_cluster', 'evergate-balancer-1'],
    ['network', 'connect', '--ip', '10.42.0.73', 'evergate_cluster', 'evergate-balancer-1'],
  ],
];
for (const [name, fault, repair] of faults)
  test(`the active balancer is ${name}: the other one answers within a second`, async () => {
    await observed(
      async () => {
        answeredWithin(
          1000,
          await loaded(name, async () => {
            await engine.must(fault);
            await pause(2000);
          }),
        );
        answeredWithin(
          1000,
          await loaded(`no longer ${name}`, async () => {
            await engine.must(repair);
            await pause(3000);
          }),
        );
      },
      async () => {
        // Some of it may be in place already.
        await engine.docker(repair);
        await answers();
      },
    );
    await answers();
  });

test('compose down leaves nothing running', async () => {
  await engine.must(['compose', ...pair, 'down', '--timeout', '1']);
  assert.equal(await engine.must(['ps', '--all', '--quiet']), '');
});

function titleOf(page: string): string {
  return /<title>(.*)<\/title>/.exec(page)?.[1] ?? page;
}

async function answers(): Promise<void> {
  for (const until = monotonicMs() + 20_000; monotonicMs() < until; await pause(100))
    if ((await site.run(['curl', '-s', '-f', '-m', '1', `http://${virtualAddress}/`])).status === 0) return;
  assert.fail('the virtual address does not answer');
}

async function loaded(what: string, act: () => Promise<void>): Promise<Seen> {
  return await underLoad(site, virtualAddress, what, act);
}
