/** Output that nobody reads: `evergate check … | head` ends as other programs do, and a service goes on. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { freePort } from '../ports.ts';
import { defaults, folderFor, getOnce, program, start, webServer, write } from './loopback.ts';

const example = (name: string) => new URL(`../../examples/${name}`, import.meta.url).pathname;

for (const argv of [
  ['check', example('haproxy.cfg'), example('keepalived-active.conf')],
  ['explain', example('keepalived-active.conf'), example('keepalived-passive.conf')],
  ['drill', '--list'],
  ['-vv'],
])
  test(`evergate ${argv[0]} with nobody at the other end of its pipe`, async () => {
    const child = spawn(program, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    // Long before the program has anything to say.
    child.stdout.destroy();
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const [status] = await once(child, 'close');
    assert.deepEqual({ status, said }, { status: 141, said: '' });
  });

test('a balancer whose log nobody reads any more goes on', { timeout: 60_000 }, async (t) => {
  const servers = [await webServer(t, 'one'), await webServer(t, 'two')];
  const port = await freePort();
  const text = (server: number) =>
    `global\n description ready for the test\n${defaults} log stdout format raw local0\nlisten web\n bind 127.0.0.1:${port}\n server s 127.0.0.1:${server}\n`;
  const file = write(folderFor(t), 'haproxy.cfg', text(servers[0]!.port));
  const balancer = start(t, program, ['balance', '-f', file]);
  await balancer.said(/ready for the test/);
  for (const stream of [balancer.child.stdout!, balancer.child.stderr!]) stream.destroy();
  // Each request is a line of the log, and a reload says several more.
  for (let i = 0; i < 3; i++) assert.equal((await getOnce(port)).body, 'one');
  writeFileSync(file, text(servers[1]!.port));
  balancer.child.kill('SIGHUP');
  while ((await getOnce(port)).body !== 'two');
  assert.equal(balancer.child.exitCode, null);
});
